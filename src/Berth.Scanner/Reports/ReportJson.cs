using System.Text.Encodings.Web;
using System.Text.Json;

namespace Berth.Scanner.Reports;

/// <summary>Writing JSON for others: indented, what is empty is left out.</summary>
internal static class ReportJson
{
    public static JsonWriterOptions Options { get; } = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Text(this Utf8JsonWriter json, string name, string value)
    {
        if (value.Length > 0)
            json.WriteString(name, value);
    }

    public static void Texts(this Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        var any = false;
        foreach (var value in values)
        {
            if (!any)
                json.WriteStartArray(name);
            any = true;
            json.WriteStringValue(value);
        }
        if (any)
            json.WriteEndArray();
    }

    public static void Time(this Utf8JsonWriter json, string name, DateTimeOffset? time)
    {
        if (time is { } value)
            json.WriteString(name, Time(value));
    }

    /// <summary>UTC to the second, as the schemas of bills of materials want it.</summary>
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");

    public static void Number(this Utf8JsonWriter json, string name, double value)
    {
        if (value > 0)
            json.WriteNumber(name, value);
    }
}
