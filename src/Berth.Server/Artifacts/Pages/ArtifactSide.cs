using System.Globalization;
using System.Text.Json;
using Berth.Server.Ui;

namespace Berth.Server.Artifacts.Pages;

/// <summary>One of two artifacts that are compared.</summary>
/// <param name="Artifact">What the API says of it.</param>
/// <param name="Content">Its layers.</param>
/// <param name="Facts">Its configuration, one text a key: <c>ENV PATH</c>, <c>LABEL version</c>, <c>Cmd</c>.</param>
/// <param name="Annotations">Its annotations.</param>
/// <param name="Platforms">Digests by platform, for an index.</param>
internal sealed record ArtifactSide(
    ArtifactJson Artifact, ArtifactContent Content, IReadOnlyList<(string Key, string Value)> Facts, IReadOnlyList<(string Key, string Value)> Annotations,
    IReadOnlyList<(string Platform, string Digest)> Platforms)
{
    /// <summary>Reads one side; null when it is not there or may not be seen, which the page then says.</summary>
    public static async Task<ArtifactSide?> ReadAsync(UiCall call, string repository, string reference)
    {
        (string, string)[] route = [("repository_name", repository), ("reference", reference)];
        if (await call.NeedAsync<ArtifactJson>("getArtifact", route, [("with_tag", "true")]).ConfigureAwait(true) is not { } artifact) return null;
        var history = artifact.AdditionLinks?.ContainsKey("build_history") == true ? await call.TextAsync("getAddition", [.. route, ("addition", "build_history")]).ConfigureAwait(true) : null;
        var content = await ArtifactContent.ReadAsync(call, artifact, history).ConfigureAwait(true);
        return new ArtifactSide(artifact, content, FactsOf(artifact), ArtifactPairs.Of(artifact.Annotations), PlatformsOf(artifact));
    }

    /// <summary>Its name in a title: the reference by which it was asked for, in short.</summary>
    public static string NameOf(string reference) => reference.Contains(':', StringComparison.Ordinal) ? ArtifactPaths.Short(reference) : reference;

    private static List<(string, string)> PlatformsOf(ArtifactJson artifact) =>
        [.. (artifact.References ?? []).Select(r => (Platform: ArtifactPaths.PlatformOf(r.Platform), r.ChildDigest)).Where(r => r.Platform.Length > 0)];

    private static List<(string Key, string Value)> FactsOf(ArtifactJson artifact)
    {
        var facts = new List<(string, string)>();
        if (artifact.ExtraAttrs is not { } extra) return facts;
        using var document = JsonDocument.Parse(extra.Text);
        if (document.RootElement.ValueKind != JsonValueKind.Object) return facts;
        foreach (var field in document.RootElement.EnumerateObject())
        {
            if (field is { Name: "config", Value.ValueKind: JsonValueKind.Object }) facts.AddRange(field.Value.EnumerateObject().SelectMany(ConfigOf));
            else facts.Add((field.Name, TextOf(field.Value)));
        }
        return facts;
    }

    // Variables and labels are compared one by one, the rest as a whole.
    private static IEnumerable<(string, string)> ConfigOf(JsonProperty field) => field switch
    {
        { Name: "Env", Value.ValueKind: JsonValueKind.Array } => field.Value.EnumerateArray().Select(v => v.ToString().Split('=', 2)).Select(p => ("ENV " + p[0], p.Length > 1 ? p[1] : "")),
        { Name: "Labels", Value.ValueKind: JsonValueKind.Object } => field.Value.EnumerateObject().Select(l => ("LABEL " + l.Name, TextOf(l.Value))),
        { Name: "ExposedPorts" or "Volumes", Value.ValueKind: JsonValueKind.Object } => [(field.Name, string.Join(' ', field.Value.EnumerateObject().Select(p => p.Name)))],
        _ => [(field.Name, TextOf(field.Value))],
    };

    private static string TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString() ?? "",
        JsonValueKind.Null => "",
        JsonValueKind.Number when value.TryGetInt64(out var number) => number.ToString(CultureInfo.InvariantCulture),
        _ => ArtifactContent.Plain(value),
    };
}
