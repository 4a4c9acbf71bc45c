using System.Text.Json;

namespace Berth.Scanner.Advisories;

/// <summary>Reading JSON of others: what is missing or of another kind is empty, and names are found without case where Go programs wrote them.</summary>
internal static class JsonText
{
    public static JsonDocumentOptions Options { get; } = new() { MaxDepth = 64 };

    public static string Text(this JsonElement element, string name) =>
        Member(element, name) is { } value && value.ValueKind == JsonValueKind.String ? SafeString(value) : "";

    public static string[] Texts(this JsonElement element, string name) =>
        Member(element, name) is { } value && value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Where(static v => v.ValueKind == JsonValueKind.String).Select(SafeString)]
            : [];

    public static IEnumerable<JsonElement> Items(this JsonElement element, string name) =>
        Member(element, name) is { } value && value.ValueKind == JsonValueKind.Array
            ? value.EnumerateArray()
            : [];

    public static IEnumerable<JsonProperty> Properties(this JsonElement element, string name) =>
        Member(element, name) is { } value && value.ValueKind == JsonValueKind.Object
            ? Named(value)
            : [];

    /// <summary>The members of an object whose names are texts.</summary>
    public static IEnumerable<JsonProperty> Named(JsonElement json) => json.EnumerateObject().Where(static p => HasName(p));

    public static JsonElement? Object(this JsonElement element, string name) =>
        Member(element, name) is { } value && value.ValueKind == JsonValueKind.Object ? value : null;

    public static int Number(this JsonElement element, string name) =>
        Member(element, name) is { } value && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number)
            ? number
            : 0;

    public static double Real(this JsonElement element, string name) =>
        Member(element, name) is { } value && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number)
            ? number
            : 0;

    /// <summary>An RFC 3339 time; null when there is none or it is Go's zero.</summary>
    public static DateTimeOffset? Time(this JsonElement element, string name) =>
        DateTimeOffset.TryParse(element.Text(name), null, System.Globalization.DateTimeStyles.AssumeUniversal, out var time) && time.Year > 1970 ? time : null;

    private static bool HasName(JsonProperty property)
    {
        try
        {
            return property.Name is not null;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>A member; null when there is none. Names that are no text (half of a pair of surrogates) are passed over or hide those behind them.</summary>
    public static JsonElement? Member(JsonElement element, string name)
    {
        try
        {
            return element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>A text; empty when its bytes are no text (a lone surrogate).</summary>
    public static string SafeString(JsonElement value)
    {
        try
        {
            return value.GetString() ?? "";
        }
        catch (InvalidOperationException)
        {
            return "";
        }
    }
}
