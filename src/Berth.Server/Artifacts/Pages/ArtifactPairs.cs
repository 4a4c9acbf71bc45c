using System.Text.Json;

namespace Berth.Server.Artifacts.Pages;

/// <summary>Texts by key of a JSON object.</summary>
internal static class ArtifactPairs
{
    /// <summary>Those of an object, in its order; values that are no text are left out.</summary>
    public static IReadOnlyList<(string Key, string Value)> Of(RawJson? json)
    {
        if (json is null) return [];
        using var document = JsonDocument.Parse(json.Text);
        if (document.RootElement.ValueKind != JsonValueKind.Object) return [];
        return [.. document.RootElement.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.String).Select(p => (p.Name, TextOf(p.Value)))];
    }

    // Half of a surrogate pair is no text; whoever pushed it does not break the page.
    private static string TextOf(JsonElement value)
    {
        try
        {
            return value.GetString() ?? "";
        }
        catch (InvalidOperationException)
        {
            return value.GetRawText();
        }
    }
}
