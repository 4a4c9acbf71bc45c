using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Berth;

/// <summary>The <c>--json</c> of every command that prints results.</summary>
internal static class Json
{
    public static JsonSerializerOptions Indented { get; } = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Option<bool> Option() => new("--json") { Description = "Print the result as JSON" };
}
