using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Client;
using Berth.Scanner.Inventory;
using Berth.Scanner.Inventory.Layers;
using Berth.Scanner.Matching;
using Berth.Scanner.Reports;
using Berth.Scanner.Sbom;
using Berth.Scanner.Scan;
using Berth.Server.Platform.Jobs;
using Berth.Server.Scanning.Adapters;
using Berth.Server.Scanning.Scanners;

namespace Berth.Server.Scanning.AdapterApi;

/// <summary>
/// Scans one image of another registry: 1. what is asked for, 2. the image is opened where it lies, 3. its layers are read, those known by their diff id not again, 4. judged and written down. Cut off, it
/// begins again and finds the layers that it had read.
/// </summary>
internal sealed class AdapterScanJob(AdapterScans scans, LayerInventories layers, AdvisoryStore advisories, RemoteImages images, ScannerApiOptions options, TimeProvider time) : IJobHandler
{
    /// <summary>Kind of the jobs.</summary>
    public const string JobKind = "adapter_scan";

    private const int MaxProblemChars = 2000;

    public string Kind => JobKind;

    public int MaxConcurrent => options.MaxConcurrent;

    public async Task<JobOutcome> RunAsync(JobRun run, CancellationToken ct)
    {
        // 1.
        var work = run.ReadPayload(AdapterJson.Default.AdapterWork);
        if (await scans.FindAsync(work.Id, ct).ConfigureAwait(false) is not { State: ScanState.Requested } scan) return JobOutcome.Done;
        using var timer = new CancellationTokenSource(options.Timeout, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct, timer.Token);
        try
        {
            using var loan = advisories.Borrow();
            if (loan is null && scan.WantsReport) return await FailAsync(run, scan, "there is no advisory database: put one into the folder advisories of the data folder with \"berth db\"", ct).ConfigureAwait(false);
            // 2.
            run.Log($"pulls {scan.Repository}@{scan.Digest} from {scan.RegistryUrl}");
            using var image = await images.OpenAsync(scan, scans.AuthorizationOf(scan), limit.Token).ConfigureAwait(false);
            // 3.
            var read = await new ImageScan(layers, LayerLimits.Default).ReadAsync(
                image.Content, (layer, known) => run.Log($"{layer.Digest} {(known ? "is known" : "was read")}"), limit.Token).ConfigureAwait(false);
            // 4.
            var report = ScanAssembly.Of(
                image.Content, ImageInventory.Join(read, PackageSources.WithoutLocks), loan is null ? null : new Matcher(loan.Database), new ScanSettings(), time.GetUtcNow()) with
            { ToolVersion = BuiltInScanner.Version };
            run.Log($"{report.Packages.Count} packages, {report.Findings.Count} findings");
            if (scan.WantsReport) scan.Report = Pack(stream => WriteReport(stream, scan, report));
            if (scan.WantsSpdx) scan.Spdx = Pack(stream => WriteSbom(stream, scan, report, AdapterMedia.Spdx, inner => SpdxWriter.Write(inner, report)));
            if (scan.WantsCycloneDx) scan.CycloneDx = Pack(stream => WriteSbom(stream, scan, report, AdapterMedia.CycloneDx, inner => CycloneDxWriter.Write(inner, report)));
            scan.State = ScanState.Done;
            await scans.FinishAsync(scan, ct).ConfigureAwait(false);
            return JobOutcome.Done;
        }
        catch (OperationCanceledException) when (timer.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            return await FailAsync(run, scan, $"the scan has taken longer than {options.Timeout}", ct).ConfigureAwait(false);
        }
        catch (RegistryException e) when (e.Failure is RegistryFailure.Unreachable or RegistryFailure.TooManyRequests or RegistryFailure.ServerError && !run.IsLastAttempt)
        {
            run.Log(e.Message);
            return JobOutcome.Retry(e.Message);
        }
        catch (Exception e) when (e is RegistryException or ImageRefusedException or LayerRefusedException)
        {
            return await FailAsync(run, scan, e.Message, ct).ConfigureAwait(false);
        }
    }

    private async Task<JobOutcome> FailAsync(JobRun run, AdapterScan scan, string problem, CancellationToken ct)
    {
        var text = problem.Replace('\0', ' ');
        if (text.Length > MaxProblemChars) text = text[..MaxProblemChars];
        run.Log(text);
        (scan.State, scan.Problem) = (ScanState.Failed, text);
        await scans.FinishAsync(scan, ct).ConfigureAwait(false);
        return JobOutcome.Fail(text);
    }

    private static byte[] Pack(Action<Stream> write)
    {
        using var buffer = new MemoryStream();
        write(buffer);
        return StoredReport.Pack(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }

    // Schema HarborVulnerabilityReport, about the artifact that was named, which may be an index. Its words for severities have none for nothing found.
    private static void WriteReport(Stream output, AdapterScan scan, ScanReport report)
    {
        using var document = new MemoryStream();
        HarborReport.Write(document, report with { Digest = scan.Digest, MediaType = scan.MediaType.Length > 0 ? scan.MediaType : report.MediaType }, scan.Repository, scan.Tag);
        if (report.Findings.Count > 0)
        {
            document.WriteTo(output);
            return;
        }
        var json = JsonNode.Parse(document.GetBuffer().AsSpan(0, (int)document.Length))!;
        json["severity"] = "Unknown";
        output.Write(System.Text.Encoding.UTF8.GetBytes(json.ToJsonString()));
    }

    // Schema HarborSbomReport.
    private static void WriteSbom(Stream output, AdapterScan scan, ScanReport report, string mediaType, Action<Stream> write)
    {
        using var document = new MemoryStream();
        write(document);
        using var json = new Utf8JsonWriter(output, AdapterMedia.Writing);
        json.WriteStartObject();
        json.WriteString("generated_at", report.CreatedAt.UtcDateTime);
        json.WriteStartObject("artifact");
        json.WriteString("repository", scan.Repository);
        json.WriteString("digest", scan.Digest);
        json.WriteString("tag", scan.Tag);
        json.WriteString("mime_type", scan.MediaType.Length > 0 ? scan.MediaType : report.MediaType);
        json.WriteEndObject();
        json.WriteStartObject("scanner");
        json.WriteString("name", BuiltInScanner.Name);
        json.WriteString("vendor", BuiltInScanner.Vendor);
        json.WriteString("version", BuiltInScanner.Version);
        json.WriteEndObject();
        json.WriteString("media_type", mediaType);
        json.WritePropertyName("sbom");
        json.WriteRawValue(document.GetBuffer().AsSpan(0, (int)document.Length), skipInputValidation: true);
        json.WriteEndObject();
    }
}
