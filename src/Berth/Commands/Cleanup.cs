using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Berth.Commands;

/// <summary><c>berth cleanup</c>: deletes images by age, count and name once, for those who run such a job from cron or Kubernetes.</summary>
internal static class Cleanup
{
    private const int DefaultDays = 30;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>What is kept.</summary>
    private sealed record Kept(int Days, IReadOnlyList<string> Patterns, int Newest, bool Untagged);

    public static Command Build(CommandEnvironment environment)
    {
        var place = new Argument<string?>("PLACE") { Description = "A project, or a repository as PROJECT/NAME; else all projects that have no policy of their own", Arity = ArgumentArity.ZeroOrOne };
        var days = new Option<int>("--keep-days") { Description = "Keep what was pushed within so many days", HelpName = "N", DefaultValueFactory = _ => DefaultDays };
        var tags = new Option<string?>("--keep-tags") { Description = "Keep tags by pattern (v*,latest), or so many of the newest in each repository", HelpName = "PATTERNS|N" };
        var untagged = new Option<bool>("--untagged") { Description = "Delete images without a tag too, by the same age" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only tell what would go, and why" };
        days.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && (!int.TryParse(token.Value, CultureInfo.InvariantCulture, out var n) || n is < 0 or > 36_500)) result.AddError($"--keep-days must be between 0 and 36500, not \"{token.Value}\"");
        });
        var verb = new Verb("cleanup", "Delete old images of a running server once; the trash keeps them for a while", """
            berth cleanup shop --keep-days 30 --keep-tags 'v*,latest' --dry-run
            berth cleanup shop/web --keep-days 7 --keep-tags 10
            docker run --rm -e BERTH_SERVER -e BERTH_USER -e BERTH_PASSWORD berth cleanup shop --dry-run=false --keep-days=30 --keep-tags=10
            """)
        {
            place, days, tags, untagged, dryRun,
        };
        return ServerVerb.Build(environment, verb, async (parsed, server, ct) =>
        {
            var names = parsed.GetValue(place)?.Trim('/').Split('/', 2);
            var path = names is null ? "/api/berth/v1/retention" : $"/api/berth/v1/projects/{Uri.EscapeDataString(names[0])}/retention";
            var query = names is [_, var repository] ? $"repository={Uri.EscapeDataString(repository)}" : "";
            var body = new JsonObject { ["policy"] = PolicyOf(KeptBy(parsed.GetValue(days), parsed.GetValue(tags), parsed.GetValue(untagged))) };
            return parsed.GetValue(dryRun)
                ? await SimulateAsync(server, $"{path}/simulate?going=true&{query}", body, ct)
                : await RunAsync(server, $"{path}/cleanups", query, body, ct);
        });
    }

    // A number is a count: no sensible pattern is one.
    private static Kept KeptBy(int days, string? tags, bool untagged)
    {
        var isCount = int.TryParse(tags, NumberStyles.None, CultureInfo.InvariantCulture, out var newest);
        return new Kept(days, isCount || tags is null ? [] : tags.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries), newest, untagged);
    }

    private static JsonObject PolicyOf(Kept kept)
    {
        var old = new JsonObject { ["kind"] = "within", ["age"] = TimeSpan.FromDays(kept.Days).ToString("c", CultureInfo.InvariantCulture), ["by"] = "pushed", ["is_negated"] = true };
        var conditions = new JsonArray(old);
        if (kept.Newest > 0) conditions.Add((JsonNode)new JsonObject { ["kind"] = "newest", ["count"] = kept.Newest, ["by"] = "pushed", ["is_negated"] = true });
        var rules = new JsonArray(new JsonObject { ["name"] = "old tags", ["action"] = "delete", ["selection"] = new JsonObject { ["state"] = "tagged" }, ["conditions"] = conditions });
        if (kept.Untagged)
            rules.Add((JsonNode)new JsonObject { ["name"] = "old images without a tag", ["action"] = "delete", ["selection"] = new JsonObject { ["state"] = "untagged" }, ["conditions"] = new JsonArray(old.DeepClone()) });
        if (kept.Patterns.Count > 0)
        {
            var patterns = new JsonArray([.. kept.Patterns.Select(p => (JsonNode)new JsonObject { ["kind"] = "glob", ["text"] = p })]);
            rules.Add((JsonNode)new JsonObject { ["name"] = "--keep-tags", ["action"] = "keep", ["selection"] = new JsonObject { ["state"] = "tagged", ["tags"] = patterns } });
        }
        return new JsonObject { ["rules"] = rules, ["floating_follows"] = true };
    }

    private static async Task<ServerAnswer> SimulateAsync(ServerClient server, string path, JsonObject body, CancellationToken ct)
    {
        var told = await server.CallAsync(HttpMethod.Post, path, body, ct);
        return new ServerAnswer(told, output =>
        {
            foreach (var repository in told["repositories"]!.AsArray())
            {
                foreach (var line in repository!["tags"]!.AsArray())
                {
                    var name = line!["tag"] is { } tag ? $"{repository["repository"]}:{tag}" : $"{repository["repository"]}@{line["digest"]}";
                    output.WriteLine($"{name}  {line["because"]}");
                }
            }
            output.WriteLine($"{told["going"]} of {told["total"]} would go, {told["freed_bytes"]} bytes would be freed; nothing was deleted");
        });
    }

    private static async Task<ServerAnswer> RunAsync(ServerClient server, string path, string query, JsonObject body, CancellationToken ct)
    {
        var state = await server.CallAsync(HttpMethod.Post, $"{path}?{query}", body, ct);
        while (state["is_finished"]?.GetValue<bool>() != true)
        {
            await Task.Delay(Pause, TimeProvider.System, ct);
            state = await server.CallAsync(HttpMethod.Get, $"{path}/{state["id"]}", null, ct);
        }
        if (state["status"]!.GetValue<string>() != "Success") throw new ServerCallException($"clean-up {state["id"]} ended with {state["status"]}: {state["error"]}");
        return new ServerAnswer(state, output =>
        {
            var gone = state["total"]!.GetValue<long>() - state["kept"]!.GetValue<long>();
            var shown = state["deleted"]!.AsArray().Select(n => n!.GetValue<string>()).Order(StringComparer.Ordinal).ToList();
            foreach (var name in shown) output.WriteLine($"{name} deleted");
            if (gone > shown.Count) output.WriteLine($"… and {gone - shown.Count} more");
            output.WriteLine($"{gone} of {state["total"]} went, {state["freed_bytes"]} bytes will be freed when the trash lets go of them");
        });
    }
}
