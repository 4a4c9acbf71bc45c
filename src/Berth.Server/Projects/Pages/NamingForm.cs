using System.Text.Json.Nodes;
using Berth.Server.Projects.Naming;
using Berth.Server.Ui;

namespace Berth.Server.Projects.Pages;

/// <summary>The form of the naming policy: a pattern is a line, a regular expression stands between slashes.</summary>
internal static class NamingForm
{
    /// <summary>Sets the policy.</summary>
    public static Task<UiOutcome> SaveAsync(UiCall call, CancellationToken ct)
    {
        var body = new JsonObject
        {
            ["mode"] = call.Field("mode"),
            ["lower_case"] = call.IsChecked("lower_case"),
            ["forbid_latest"] = call.IsChecked("forbid_latest"),
            ["forbid_version_overwrite"] = call.IsChecked("forbid_version_overwrite"),
            ["tags"] = PatternsOf(call.Field("tags")),
            ["repositories"] = PatternsOf(call.Field("repositories")),
        };
        if (call.Field("separators") is not "*" and var separators) body["separators"] = separators.Replace(" ", "", StringComparison.Ordinal);
        return call.ChangeAsync("setNamingPolicy", ProjectForms.PathOf(call.Project!.Name) + "/settings", call.Words.Saved, body: body);
    }

    /// <summary>Patterns as lines.</summary>
    public static string TextOf(IReadOnlyList<NamingPattern>? patterns) =>
        string.Join('\n', (patterns ?? []).Select(p => p.Kind == NamingPatternKind.Regex ? $"/{p.Text}/" : p.Text));

    private static JsonArray PatternsOf(string text) => new([.. text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(line =>
    {
        var isRegex = line.Length > 2 && line[0] == '/' && line[^1] == '/';
        return new JsonObject { ["kind"] = isRegex ? "regex" : "glob", ["text"] = isRegex ? line[1..^1] : line };
    })]);
}
