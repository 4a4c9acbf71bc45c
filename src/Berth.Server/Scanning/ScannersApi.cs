using Berth.Scanner.Reports;
using Berth.Server.Access;
using Berth.Server.Api;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Scanning;

/// <summary>Harbor's operations on scanners. The built-in one is the default of the installation and of every project.</summary>
internal static class ScannersApi
{
    private const string One = "/scanners/{registration_id}";
    private const string OfProject = "/projects/{project_name_or_id}/scanner";
    private const string Tag = "scanner";

    private static readonly ScannerJson s_builtIn = new()
    {
        Uuid = BuiltInScanner.Uuid,
        Name = BuiltInScanner.Name,
        Description = "The scanner that is part of Berth",
        Url = "",
        IsDefault = true,
        Health = "healthy",
        Adapter = BuiltInScanner.Name,
        Vendor = BuiltInScanner.Vendor,
        Version = BuiltInScanner.Version,
        Capabilities = new() { ["support_vulnerability"] = true, ["support_sbom"] = false },
    };

    public static IEnumerable<ApiOperation> Operations() =>
    [
        new(HttpMethods.Get, "/scanners", "listScanners", Tag, ApiNeed.System(SystemPermissions.ScannerList), ListAsync) { Summary = "The scanners.", Answer = typeof(ScannerJson), IsList = true },
        new(HttpMethods.Get, One, "getScanner", Tag, ApiNeed.System(SystemPermissions.ScannerRead), GetAsync) { Summary = "A scanner.", Answer = typeof(ScannerJson) },
        new(HttpMethods.Get, One + "/metadata", "getScannerMetadata", Tag, ApiNeed.System(SystemPermissions.ScannerRead), GetMetadataAsync)
        {
            Summary = "What a scanner reads and writes.", Answer = typeof(ScannerMetadataJson),
        },
        new(HttpMethods.Patch, One, "setScannerAsDefault", Tag, ApiNeed.System(SystemPermissions.ScannerUpdate), SetDefaultAsync)
        {
            Summary = "Makes a scanner the default.", Body = typeof(ScannerChoiceJson),
        },
        new(HttpMethods.Get, OfProject, "getScannerOfProject", "project", ApiNeed.Project(ProjectPermissions.ScannerRead), OfProjectAsync) { Summary = "The scanner of a project.", Answer = typeof(ScannerJson) },
        new(HttpMethods.Put, OfProject, "setScannerOfProject", "project", ApiNeed.Project(ProjectPermissions.ScannerCreate), SetOfProjectAsync)
        {
            Summary = "Chooses the scanner of a project.", Body = typeof(ScannerChoiceJson),
        },
        new(HttpMethods.Get, OfProject + "/candidates", "listScannerCandidatesOfProject", "project", ApiNeed.Project(ProjectPermissions.ScannerCreate), ListAsync)
        {
            Summary = "The scanners that a project may choose.", Answer = typeof(ScannerJson), IsList = true,
        },
    ];

    private static Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct) => Task.FromResult(ApiResult.List([s_builtIn], 1, ScanApiJson.Default.ListScannerJson));

    private static Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct) =>
        Task.FromResult(IsBuiltIn(call.Route("registration_id")) ? ApiResult.Ok(s_builtIn, ScanApiJson.Default.ScannerJson) : NotFound(call.Route("registration_id")));

    private static Task<ApiResult> OfProjectAsync(ApiCall call, CancellationToken ct) => Task.FromResult(ApiResult.Ok(s_builtIn, ScanApiJson.Default.ScannerJson));

    private static Task<ApiResult> GetMetadataAsync(ApiCall call, CancellationToken ct) => Task.FromResult(!IsBuiltIn(call.Route("registration_id")) ? NotFound(call.Route("registration_id"))
        : ApiResult.Ok(new ScannerMetadataJson
        {
            Scanner = new ScannerNameJson(BuiltInScanner.Name, BuiltInScanner.Vendor, BuiltInScanner.Version),
            Capabilities =
            [
                new ScannerCapabilityJson(
                    "vulnerability", ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"], [HarborReport.MediaType, BuiltInScanner.OlderMediaType]),
            ],
        }, ScanApiJson.Default.ScannerMetadataJson));

    private static async Task<ApiResult> SetDefaultAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(ScanApiJson.Default.ScannerChoiceJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (!IsBuiltIn(call.Route("registration_id"))) return NotFound(call.Route("registration_id"));
        return body.IsDefault ? ApiResult.Done : ApiResult.BadRequest("one scanner is the default: make another one the default instead");
    }

    private static async Task<ApiResult> SetOfProjectAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(ScanApiJson.Default.ScannerChoiceJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        return IsBuiltIn(body.Uuid ?? "") ? ApiResult.Done : NotFound(body.Uuid ?? "");
    }

    private static bool IsBuiltIn(string id) => string.Equals(id, BuiltInScanner.Uuid, StringComparison.OrdinalIgnoreCase);

    private static ApiResult NotFound(string id) => ApiResult.NotFound($"scanner registration {id} not found");
}

/// <summary>A scanner as Harbor shows it.</summary>
public sealed record ScannerJson
{
    public required string Uuid { get; init; }

    public required string Name { get; init; }

    public string Description { get; init; } = "";

    public string Url { get; init; } = "";

    public bool Disabled { get; init; }

    public bool IsDefault { get; init; }

    public string Auth { get; init; } = "";

    public bool SkipCertVerify { get; init; }

    public bool UseInternalAddr { get; init; }

    public string Health { get; init; } = "";

    public string Adapter { get; init; } = "";

    public string Vendor { get; init; } = "";

    public string Version { get; init; } = "";

    public Dictionary<string, bool> Capabilities { get; init; } = [];
}

/// <summary>Which scanner is meant, or that one is the default.</summary>
public sealed record ScannerChoiceJson
{
    public string? Uuid { get; init; }

    public bool IsDefault { get; init; }
}

/// <summary>Name of a scanner.</summary>
public sealed record ScannerNameJson(string Name, string Vendor, string Version);

/// <summary>What a scanner reads and writes.</summary>
public sealed record ScannerCapabilityJson(string Type, IReadOnlyList<string> ConsumesMimeTypes, IReadOnlyList<string> ProducesMimeTypes);

/// <summary>What a scanner says of itself.</summary>
public sealed record ScannerMetadataJson
{
    public required ScannerNameJson Scanner { get; init; }

    public IReadOnlyList<ScannerCapabilityJson> Capabilities { get; init; } = [];
}
