using System.Text.Json.Nodes;
using Berth.Server.Platform.Data;
using Berth.Server.Projects.Naming;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Projects;

/// <summary>Which names a push may use.</summary>
public sealed class NamingPolicyTests
{
    private const string Path = "/api/berth/v1/projects/p/naming";
    private static readonly (string, string) s_admin = PlatformApp.As("admin");

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [InlineData("""{"lower_case":true}""", "app", "RC1", false, "lower_case")]
    [InlineData("""{"lower_case":true}""", "app", "rc1", false, null)]
    [InlineData("""{"separators":"-."}""", "app", "a_b", false, "separators")]
    [InlineData("""{"separators":"-."}""", "my_app", "a-b", false, "separators")]
    [InlineData("""{"separators":"-."}""", "team/my-app", "1.2-b", false, null)]
    [InlineData("""{"separators":""}""", "app", "v1.0", false, "separators")]
    [InlineData("""{"forbid_latest":true}""", "app", "latest", false, "forbid_latest")]
    [InlineData("""{"forbid_latest":true}""", "app", "latest-1", false, null)]
    [InlineData("""{"forbid_version_overwrite":true}""", "app", "v1.2.3", true, "forbid_version_overwrite")]
    [InlineData("""{"forbid_version_overwrite":true}""", "app", "1.2.3-rc.1", true, "forbid_version_overwrite")]
    [InlineData("""{"forbid_version_overwrite":true}""", "app", "v1.2.3", false, null)]
    [InlineData("""{"forbid_version_overwrite":true}""", "app", "v1.2", true, null)]
    [InlineData("""{"forbid_version_overwrite":true}""", "app", "01.2.3", true, null)]
    [InlineData("""{"tags":[{"kind":"glob","text":"v*"},{"kind":"regex","text":"pr-[0-9]+"}]}""", "app", "pr-12", false, null)]
    [InlineData("""{"tags":[{"kind":"glob","text":"v*"},{"kind":"regex","text":"pr-[0-9]+"}]}""", "app", "xpr-12", false, "tags")]
    [InlineData("""{"repositories":[{"kind":"glob","text":"team-?/**"}]}""", "app", "v1", false, "repositories")]
    [InlineData("""{"repositories":[{"kind":"glob","text":"team-?/**"}]}""", "team-a/app", "v1", false, null)]
    public void A_name_breaks_the_rule_that_is_about_it(string policy, string repository, string tag, bool exists, string? rule)
    {
        Assert.True(NamingRules.TryCreate(NamingRules.PolicyOf(policy), out var rules, out _));
        Assert.Equal(rule, rules.Find(repository, tag, exists)?.Rule);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task An_enforced_policy_refuses_a_push_with_the_rule_and_a_mild_one_warns(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        await app.AddProjectAsync("p");
        await app.PushAsync("p/app", "Old", TestImage.New(1));
        await SetAsync(app, """{"mode":"warn","lower_case":true}""");
        var warned = await PutAsync(app, "RC1", TestImage.New(2));
        Assert.Equal(201, warned.Status);
        Assert.Equal("299 - \"naming policy, lower_case: the tag RC1 has capital letters\"", warned.Header("Warning"));
        Assert.Null((await PutAsync(app, "rc1", TestImage.New(2))).Header("Warning"));
        await AuditedAsync(app, "warn", "p/app:RC1");

        await SetAsync(app, """{"mode":"enforce","lower_case":true,"forbid_latest":true,"forbid_version_overwrite":true}""");
        var refused = await PutAsync(app, "RC2", TestImage.New(2));
        Assert.Equal(400, refused.Status);
        var error = JsonNode.Parse(refused.Text)!["errors"]![0]!;
        Assert.Equal("TAG_INVALID", error["code"]!.GetValue<string>());
        Assert.Equal("the tag RC2 has capital letters", error["message"]!.GetValue<string>());
        Assert.Contains("rule lower_case", error["detail"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(404, (await app.Registry.GetAsync("/v2/p/app/manifests/RC2", s_admin)).Status);
        await AuditedAsync(app, "refuse", "p/app:RC2");
        Assert.Equal(400, (await PutAsync(app, "latest", TestImage.New(2))).Status);

        // A version is written once; the same again is no change. What was there before stays, and can be pushed to as it is.
        Assert.Equal(201, (await PutAsync(app, "v1.0.0", TestImage.New(2))).Status);
        Assert.Equal(201, (await PutAsync(app, "v1.0.0", TestImage.New(2))).Status);
        var moved = await PutAsync(app, "v1.0.0", TestImage.New(3));
        Assert.Equal((403, "DENIED"), (moved.Status, JsonNode.Parse(moved.Text)!["errors"]![0]!["code"]!.GetValue<string>()));
        Assert.Equal(201, (await PutAsync(app, "Old", TestImage.New(1))).Status);
        Assert.Equal(200, (await app.Registry.GetAsync("/v2/p/app/manifests/Old", s_admin)).Status);

        // Tags of signatures are not asked about; the API's ways to make a tag are.
        Assert.Equal(201, (await PutAsync(app, TestImage.New(1).Digest.Value.Replace(':', '-') + ".sig", TestImage.New(2))).Status);
        Assert.Equal(400, (await app.CallAsync("POST", "/api/v2.0/projects/p/repositories/app/artifacts/v1.0.0/tags", body: """{"name":"RC3"}""")).Status);
        await SetAsync(app, """{"mode":"off","lower_case":true}""");
        Assert.Equal(201, (await PutAsync(app, "RC2", TestImage.New(2))).Status);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_policy_that_cannot_be_read_is_refused_and_only_who_may_change_the_project_sets_one(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        await app.AddProjectAsync("p");
        var refused = await app.CallAsync("PUT", Path, body: """{"mode":"enforce","separators":"-/","tags":[{"kind":"regex","text":"(a)\\1"},{"kind":"glob","text":""}]}""");
        Assert.Equal(400, refused.Status);
        foreach (var part in new[] { "separators", "tags[0]", "tags[1]" }) Assert.Contains(part, refused.Message, StringComparison.Ordinal);
        Assert.Equal(422, (await app.CallAsync("PUT", Path, body: """{"mode":"perhaps"}""")).Status);
        Assert.Equal("off", (await app.GetAsync(Path))["mode"]!.GetValue<string>());
        await SetAsync(app, """{"mode":"enforce","tags":[{"kind":"regex","text":"v[0-9]+"}]}""");
        Assert.Equal("v[0-9]+", (await app.GetAsync(Path))["tags"]![0]!["text"]!.GetValue<string>());
        Assert.Null((await app.GetAsync("/api/v2.0/projects/p"))["metadata"]!["naming_policy"]);
        await app.AddUserAsync("dev");
        await app.AddMemberAsync("p", "dev", 2);
        Assert.Equal(403, (await app.CallAsync("PUT", Path, "dev", """{"mode":"off"}""")).Status);
    }

    private static async Task SetAsync(PlatformApp app, string policy)
    {
        var answer = await app.CallAsync("PUT", Path, body: policy);
        Assert.True(answer.Status == 200, answer.Body);
    }

    private static async Task<Answer> PutAsync(PlatformApp app, string tag, TestImage image)
    {
        foreach (var blob in image.Blobs) Assert.Equal(201, (await app.Registry.PostAsync($"/v2/p/app/blobs/uploads/?digest={Oci.Digest.Of(blob)}", blob, s_admin)).Status);
        return await app.Registry.PutManifestAsync("p/app", tag, image.Manifest, image.MediaType, s_admin);
    }

    private static Task AuditedAsync(PlatformApp app, string operation, string resource) => Eventually.TrueAsync(async () =>
        (await app.GetAsync("/api/v2.0/auditlog-exts?page_size=50")).AsArray().Any(e => e!["operation"]!.GetValue<string>() == operation && e["resource"]!.GetValue<string>() == resource), $"{operation} {resource} is in the audit log");
}
