using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Server.Scanning.Adapters;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Tests.Scanning.Adapters;

/// <summary>A scanner with Harbor's pluggable API on a port of its own: holds what it is asked against the published description, and answers as it is told.</summary>
internal sealed class AdapterDouble : IAsyncDisposable
{
    private const string Base = "/api/v1";

    private readonly WebApplication _app;
    private readonly AdapterSpec _spec = AdapterSpec.Read();
    private readonly ConcurrentDictionary<string, int> _looks = new();
    private int _scans;

    private AdapterDouble(WebApplication app) => _app = app;

    public string Url => _app.Urls.First();

    /// <summary>Header that a request must have; null for none.</summary>
    public (string Name, string Value)? Wanted { get; set; }

    /// <summary>How often a report answers 302 before it is there.</summary>
    public int Redirects { get; set; } = 1;

    /// <summary>What 302 asks for, in seconds; null for nothing.</summary>
    public int? RefreshAfter { get; set; } = 0;

    /// <summary>Answers in the place of the usual ones, one a request, by the operation.</summary>
    public ConcurrentDictionary<string, ConcurrentQueue<Func<HttpContext, Task>>> Instead { get; } = new();

    public string MetadataBody { get; set; } = $$$"""
        {"scanner":{"name":"Double","vendor":"Berth tests","version":"1.2.3"},
         "capabilities":[{"type":"vulnerability","consumes_mime_types":["{{{AdapterMedia.OciManifest}}}","{{{AdapterMedia.DockerManifest}}}"],
           "produces_mime_types":["application/vnd.scanner.adapter.vuln.report.harbor+json; version=1.0","application/vnd.security.vulnerability.report; version=1.1"]}],
         "properties":{"harbor.scanner-adapter/vulnerability-database-updated-at":"2026-11-01T00:00:00Z"}}
        """;

    public string ReportBody { get; set; } = """
        {"generated_at":"2026-11-22T10:00:00Z","scanner":{"name":"Double","vendor":"Berth tests","version":"1.2.3"},"severity":"Critical","vulnerabilities":[
          {"id":"CVE-2026-1","package":"zlib","version":"1.0","fix_version":"1.1","severity":"Critical","description":"d","links":["https://example.com/1","javascript:alert(1)"],
           "preferred_cvss":{"score_v3":9.8,"vector_v3":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},"cwe_ids":["CWE-1"],"vendor_attributes":{"a":1}},
          {"id":"CVE-2026-2","package":"zlib","version":"1.0","severity":"Negligible"},
          {"id":"CVE-2026-3","package":"bash","version":"5","severity":"Strange"}]}
        """;

    /// <summary>What lists the contents; asked for when <see cref="MetadataBody"/> says that it can be.</summary>
    public string SbomBody { get; set; } = """{"media_type":"application/spdx+json","sbom":{"spdxVersion":"SPDX-2.3","name":"by the double","packages":[]}}""";

    /// <summary>Metadata with the capability to list contents.</summary>
    public static string WithSbom(string metadata) => metadata.Replace("\"capabilities\":[", $$"""
        "capabilities":[{"type":"sbom","consumes_mime_types":["{{AdapterMedia.OciManifest}}"],"produces_mime_types":["{{AdapterMedia.SbomReport}}"]},
        """, StringComparison.Ordinal);

    /// <summary>Run when a scan is asked for, with its document: what the scanner would do with the registry.</summary>
    public Func<JsonNode, Task>? OnScan { get; set; }

    /// <summary>The documents of the scans that were asked for.</summary>
    public ConcurrentQueue<JsonNode> Scans { get; } = new();

    /// <summary>What the published description does not allow.</summary>
    public ConcurrentQueue<string> Violations { get; } = new();

    public int ReportsAsked => _looks.Values.Sum();

    public static async Task<AdapterDouble> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.UseShutdownTimeout(TimeSpan.Zero);
        var app = builder.Build();
        var adapter = new AdapterDouble(app);
        app.Run(adapter.TakeAsync);
        await app.StartAsync();
        return adapter;
    }

    /// <summary>Says once, in the place of the usual answer.</summary>
    public void Once(string operation, int status, string body = "", string contentType = AdapterMedia.Error) =>
        Instead.GetOrAdd(operation, static _ => new()).Enqueue(context => SendAsync(context, status, contentType, body));

    public static Task SendAsync(HttpContext context, int status, string contentType, string body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = contentType;
        return context.Response.WriteAsync(body);
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        try
        {
            await AnswerAsync(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller gave up: what the test is about.
        }
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        var operation = path.StartsWith(Base, StringComparison.Ordinal) ? AdapterSpec.OperationOf(path[Base.Length..]) : null;
        var body = await new StreamReader(context.Request.Body, Encoding.UTF8).ReadToEndAsync(context.RequestAborted);
        var problem = operation is null ? $"{path} is no path" : _spec.ProblemOfRequest(context.Request.Method, operation, context.Request.ContentType ?? "", body);
        if (problem is not null) Violations.Enqueue(problem);
        if (Wanted is var (name, value) && context.Request.Headers[name] != value) await SendAsync(context, 401, AdapterMedia.Error, """{"error":{"message":"who are you"}}""");
        else if (operation is not null && Instead.TryGetValue(operation, out var queue) && queue.TryDequeue(out var answer)) await answer(context);
        else await UsualAsync(context, operation, path, body);
    }

    private async Task UsualAsync(HttpContext context, string? operation, string path, string body)
    {
        switch (operation)
        {
            case AdapterSpec.Metadata:
                await SendAsync(context, 200, AdapterMedia.Metadata, MetadataBody);
                break;
            case AdapterSpec.Scan:
                var document = JsonNode.Parse(body)!;
                Scans.Enqueue(document);
                if (OnScan is { } pull) await pull(document);
                if (RefreshAfter is { } first) context.Response.Headers["Refresh-After"] = first.ToString();
                await SendAsync(context, 202, AdapterMedia.Response, $$"""{"id":"scan {{Interlocked.Increment(ref _scans)}}"}""");
                break;
            case AdapterSpec.Report:
                var id = path[(Base.Length + "/scan/".Length)..^"/report".Length];
                if (_looks.AddOrUpdate(id, 1, static (_, looks) => looks + 1) > Redirects)
                    await SendAsync(context, 200, context.Request.Headers.Accept.ToString().Split(',')[0], context.Request.Query.ContainsKey("sbom_media_type") ? SbomBody : ReportBody);
                else
                {
                    context.Response.StatusCode = 302;
                    if (RefreshAfter is { } seconds) context.Response.Headers["Refresh-After"] = seconds.ToString();
                    context.Response.Headers.Location = path;
                }
                break;
            default:
                context.Response.StatusCode = 404;
                break;
        }
    }
}
