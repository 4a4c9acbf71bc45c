using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Scanner.Advisories;
using Berth.Scanner.Reports;

namespace Berth.Kubernetes;

/// <summary>What the scan of one image came to.</summary>
/// <param name="Image">As the workloads name it.</param>
/// <param name="Report">The report; null when it could not be made.</param>
/// <param name="Problem">Why not; empty when it was.</param>
internal sealed record ScannedImage(string Image, ScanReport? Report, string Problem);

/// <summary>Workloads with what is in their images: a table, or JSON in the words of Trivy's report of clusters.</summary>
internal static class ClusterReport
{
    private static readonly Severity[] Order = [Severity.Critical, Severity.High, Severity.Medium, Severity.Low, Severity.Unknown];
    private static readonly JsonWriterOptions Indented = new() { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A line for each workload; with <paramref name="isFull"/> the table of each image behind it.</summary>
    public static string Table(IReadOnlyList<Workload> workloads, IReadOnlyDictionary<string, ScannedImage> images, bool isFull)
    {
        string[] head = ["Namespace", "Workload", "Images", .. Order.Select(static severity => severity.Word()), "Secrets", "Problems"];
        var rows = Sorted(workloads).Select(workload => Row(workload, images)).ToList();
        var widths = head.Select((word, at) => Math.Max(word.Length, rows.Count == 0 ? 0 : rows.Max(row => row[at].Length))).ToArray();
        var text = new StringBuilder();
        foreach (var row in rows.Prepend(head)) text.AppendJoin("  ", row.Select((cell, at) => at > 1 ? cell.PadLeft(widths[at]) : cell.PadRight(widths[at]))).Append('\n');
        text.Append($"\n{workloads.Count} workloads, {images.Count} images: {Count(images.Values, Severity.Critical)} critical, {Count(images.Values, Severity.High)} high\n");
        foreach (var image in images.Values.Where(static image => image.Report is null)) text.Append($"not scanned: {Clean(image.Image)}: {Clean(image.Problem)}\n");
        if (isFull)
            foreach (var image in images.Values.OrderBy(static image => image.Image, StringComparer.Ordinal))
                if (image.Report is { } report) text.Append(TableReport.Write(report));
        return text.ToString();
    }

    /// <summary>The same as JSON.</summary>
    public static string Json(string cluster, IReadOnlyList<Workload> workloads, IReadOnlyDictionary<string, ScannedImage> images, bool isFull)
    {
        var resources = new JsonArray();
        foreach (var workload in Sorted(workloads))
        {
            var own = workload.Images.Select(image => images[image]).ToList();
            var resource = new JsonObject
            {
                ["Namespace"] = workload.Namespace,
                ["Kind"] = workload.Kind,
                ["Name"] = workload.Name,
                ["Images"] = new JsonArray([.. workload.Images.Select(static image => (JsonNode?)image)]),
                ["Vulnerabilities"] = Counts(own),
                ["Secrets"] = own.Sum(static image => image.Report?.Secrets.Count ?? 0),
                ["Misconfigurations"] = own.Sum(static image => image.Report?.Problems.Count ?? 0),
            };
            if (isFull) resource["Results"] = new JsonArray([.. own.SelectMany(static image => ResultsOf(image.Report))]);
            resources.Add(resource);
        }
        var root = new JsonObject { ["ClusterName"] = cluster, ["Findings"] = resources };
        if (images.Values.Where(static image => image.Report is null).ToList() is { Count: > 0 } failed)
            root["Errors"] = new JsonArray([.. failed.Select(static image => (JsonNode?)new JsonObject { ["Image"] = image.Image, ["Message"] = image.Problem })]);
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Indented)) root.WriteTo(writer);
        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    private static string[] Row(Workload workload, IReadOnlyDictionary<string, ScannedImage> images)
    {
        var own = workload.Images.Select(image => images[image]).ToList();
        var failed = own.Exists(static image => image.Report is null);
        return
        [
            Clean(workload.Namespace), Clean($"{workload.Kind}/{workload.Name}"), own.Count.ToString(CultureInfo.InvariantCulture), .. Order.Select(severity => Number(Count(own, severity), failed)),
            Number(own.Sum(static image => image.Report?.Secrets.Count ?? 0), failed), Number(own.Sum(static image => image.Report?.Problems.Count ?? 0), failed),
        ];
    }

    // What is not known is not none.
    private static string Number(int count, bool isPart) => count.ToString(CultureInfo.InvariantCulture) + (isPart ? "+?" : "");

    private static JsonObject Counts(List<ScannedImage> images)
    {
        var counts = new JsonObject();
        foreach (var severity in Order) counts[severity.Word()] = Count(images, severity);
        return counts;
    }

    private static int Count(IEnumerable<ScannedImage> images, Severity severity) => images.Sum(image => image.Report?.Findings.Count(finding => finding.Severity == severity) ?? 0);

    private static IEnumerable<JsonNode> ResultsOf(ScanReport? report)
    {
        if (report is null) return [];
        using var stream = new MemoryStream();
        TrivyReport.Write(stream, report);
        return [.. JsonNode.Parse(stream.ToArray())!["Results"]!.AsArray().Select(static result => result!.DeepClone())];
    }

    private static IEnumerable<Workload> Sorted(IReadOnlyList<Workload> workloads) =>
        workloads.OrderBy(static one => one.Namespace, StringComparer.Ordinal).ThenBy(static one => one.Kind, StringComparer.Ordinal).ThenBy(static one => one.Name, StringComparer.Ordinal);

    // Names come from strangers, and a terminal obeys what it is sent.
    private static string Clean(string text) => string.Concat(text.Select(static c => char.IsControl(c) ? ' ' : c));
}
