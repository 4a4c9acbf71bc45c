using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Scanner.Reports;

namespace Berth.Server.Scanning;

/// <summary>Reports as they are kept: Harbor's form in Brotli.</summary>
internal static class StoredReport
{
    private const int MaxBytes = 256 << 20;

    /// <summary>Packs a report of the built-in scanner.</summary>
    public static byte[] Pack(ScanReport report)
    {
        using var buffer = new MemoryStream();
        using (var brotli = new BrotliStream(buffer, CompressionLevel.Fastest, leaveOpen: true)) HarborReport.Write(brotli, report with { ToolVersion = BuiltInScanner.Version });
        return buffer.ToArray();
    }

    /// <summary>Packs a report that is in Harbor's form already.</summary>
    public static byte[] Pack(ReadOnlySpan<byte> json)
    {
        using var buffer = new MemoryStream();
        using (var brotli = new BrotliStream(buffer, CompressionLevel.Fastest, leaveOpen: true)) brotli.Write(json);
        return buffer.ToArray();
    }

    public static string Unpack(byte[] packed)
    {
        using var brotli = new BrotliStream(new MemoryStream(packed, writable: false), CompressionMode.Decompress);
        using var text = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (int read; (read = brotli.Read(buffer)) > 0;)
        {
            if (text.Length + read > MaxBytes) throw new InvalidDataException("a stored report is too large");
            text.Write(buffer, 0, read);
        }
        return Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length);
    }

    /// <summary>The union of reports of an index's images: what two of them have stands once.</summary>
    public static string Join(IReadOnlyList<string> reports)
    {
        if (reports.Count == 1) return reports[0];
        var whole = JsonNode.Parse(reports[0])!.AsObject();
        var found = new JsonArray();
        var seen = new HashSet<(string?, string?, string?)>();
        foreach (var one in reports.SelectMany(static report => JsonNode.Parse(report)!["vulnerabilities"]?.AsArray() ?? []))
        {
            if (one is not null && seen.Add(((string?)one["id"], (string?)one["package"], (string?)one["version"]))) found.Add(one.DeepClone());
        }
        whole["vulnerabilities"] = found;
        whole["severity"] = found.Select(static one => (string?)one!["severity"]).OrderByDescending(Rank).FirstOrDefault() ?? "None";
        return whole.ToJsonString();
    }

    /// <summary>Rank of Harbor's word for a severity.</summary>
    public static int Rank(string? severity) => severity switch
    {
        "Critical" => 5,
        "High" => 4,
        "Medium" => 3,
        "Low" => 2,
        "Unknown" => 1,
        _ => 0,
    };
}
