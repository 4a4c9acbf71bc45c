using System.Text.Json.Nodes;
using Berth.Server.Platform.Data;
using Berth.Server.Retention;
using Berth.Server.Retention.Dialects;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Retention;

/// <summary>What the simulator foretells is what a run does, whatever stands in the repositories and in the policy.</summary>
public sealed class SimulationTests
{
    private const int Projects = 5;
    private static readonly string[] s_names = ["v1.0.0", "v1.0.1", "v1.1.0", "v2.0.0", "v1.0", "v1", "latest", "dev-1", "dev-2", "main", "2026-11-01"];

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_run_does_exactly_what_the_simulator_said(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        // The same cases on both databases and in every run; a failure names its seed.
        for (var seed = 1; seed <= Projects; seed++)
        {
            var (random, project) = (new Random(seed), $"p{seed}");
            await app.AddProjectAsync(project);
            foreach (var repository in new[] { "app", "web" }) await FillAsync(app, $"{project}/{repository}", random, seed);
            var (path, policy) = ($"/api/berth/v1/projects/{project}/retention", RetentionDialects.WriteOwn(PolicyOf(random)));
            var body = $$"""{"dialect":"berth","policy":{{policy}}}""";
            var simulated = await app.CallAsync("POST", $"{path}/simulate", body: body);
            Assert.True(simulated.Status == 200, $"seed {seed}: {simulated.Body}");

            Assert.Equal(200, (await app.CallAsync("PUT", path, body: body)).Status);
            Assert.Equal(200, (await app.CallAsync("POST", $"{path}/runs")).Status);
            JsonNode? run = null;
            await Eventually.TrueAsync(async () => (run = (await app.GetAsync($"{path}/runs"))[0])!["status"]!.GetValue<string>() is not ("Pending" or "Running"), $"run {seed} has ended");
            Assert.Equal("Success", run!["status"]!.GetValue<string>());
            foreach (var repository in simulated.Json["repositories"]!.AsArray())
            {
                var kept = repository!["tags"]!.AsArray().Where(l => l!["tag"] is not null && !l["goes"]!.GetValue<bool>()).Select(l => l!["tag"]!.GetValue<string>()).Order(StringComparer.Ordinal).ToList();
                var name = repository["repository"]!.GetValue<string>();
                Assert.True(kept.SequenceEqual(await TagsAsync(app, name)), $"seed {seed}, {name}: foretold {string.Join(' ', kept)}, found {string.Join(' ', await TagsAsync(app, name))}; {policy}");
            }
            var (foretold, freed) = (simulated.Json["freed_bytes"]!.GetValue<long>(), run["freed_bytes"]!.GetValue<long>());
            Assert.True(foretold == freed, $"seed {seed}: {foretold} bytes foretold, {freed} freed; {policy}");
        }
    }

    private static async Task FillAsync(PlatformApp app, string repository, Random random, int seed)
    {
        for (var i = 0; i < 6; i++)
        {
            // Some share layers with other repositories, so that bytes are freed by none of both alone.
            var image = TestImage.New(seed: random.Next(4) == 0 ? 7000 + i : (seed * 100) + (repository.EndsWith("web", StringComparison.Ordinal) ? 50 : 0) + i);
            await app.PushAsync(repository, image.Digest.Value, image);
            foreach (var tag in random.GetItems(s_names, random.Next(3)).Distinct()) await app.PushAsync(repository, tag, image);
        }
    }

    private static RetentionRuleSet PolicyOf(Random random) => new()
    {
        Rules = [.. Enumerable.Range(0, random.Next(1, 4)).Select(n => new RetentionRule
        {
            Name = $"rule {n}",
            Action = random.Next(2) == 0 ? RetentionAction.Keep : RetentionAction.Delete,
            Selection = new RetentionSelection { Tags = [NamePattern.Glob(random.GetItems(["**", "v*", "dev-*", "latest"], 1)[0], isNegated: random.Next(4) == 0)], State = (TagState)random.Next(3) },
            Conditions = [.. Enumerable.Range(0, random.Next(3)).Select(_ => random.Next(3) switch
            {
                0 => RetentionCondition.Newest(random.Next(4)),
                1 => RetentionCondition.Within(TimeSpan.FromDays(random.Next(2))),
                _ => RetentionCondition.Versions(random.Next(3), (VersionLine)random.Next(3)),
            }).Select(c => random.Next(2) == 0 ? c : c.Not())],
        })],
        Unit = (RetentionUnit)random.Next(2),
        RestGoes = random.Next(2) == 0,
        FloatingFollows = random.Next(2) == 0,
        LeavesUntagged = random.Next(3) == 0,
    };

    private static async Task<List<string>> TagsAsync(PlatformApp app, string repository)
    {
        var answer = await app.Registry.GetAsync($"/v2/{repository}/tags/list", PlatformApp.As("admin"));
        if (answer.Status == 404 || JsonNode.Parse(answer.MustBe(200).Body)!["tags"] is not JsonArray tags) return [];
        return [.. tags.Select(t => t!.GetValue<string>()).Order(StringComparer.Ordinal)];
    }
}
