using Berth.Server.Platform.Options;

namespace Berth.Server.Scanning.Scanners;

/// <summary>Scanners outside of Berth, and Berth as the scanner of other registries (section <c>scanners</c>).</summary>
public sealed record ScannersOptions
{
    /// <summary>
    /// Where scanners that administrators enter may be though they are not public, beside <c>outgoing.allow</c>: host names (<c>trivy.internal</c>), addresses and networks
    /// (<c>10.1.0.0/16</c>).
    /// </summary>
    public IReadOnlyList<string> Allow { get; init; } = [];

    /// <summary>The address of this registry for scanners that are to use the internal one, such as <c>http://berth:5000</c>; empty: the first address that it listens on.</summary>
    public string? InternalUrl { get; init; }

    /// <summary>Time limit of one request to a scanner.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest scan by a scanner outside; then it has failed. Its right to pull the image ends with it.</summary>
    public TimeSpan MaxDuration { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Most requests that this process makes to scanners at a time.</summary>
    public int MaxConcurrent { get; init; } = 8;

    /// <summary>Largest report that is taken from a scanner, in bytes.</summary>
    public int MaxReportBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Berth as the scanner of Harbor and others.</summary>
    public ScannerApiOptions Api { get; init; } = new();
}

/// <summary>Berth answers Harbor's pluggable scanner API under <c>/scanner/api/v1</c> (section <c>scanners.api</c>).</summary>
public sealed record ScannerApiOptions
{
    /// <summary>Answer the API. Needs <see cref="ApiKey"/>, or <see cref="Username"/> and <see cref="Password"/>.</summary>
    public bool Enabled { get; init; }

    /// <summary>Key that callers send as <c>X-ScannerAdapter-API-Key</c> or as a bearer token. Secret.</summary>
    [Secret]
    public string ApiKey { get; init; } = "";

    /// <summary>User name that callers send with Basic authentication.</summary>
    public string Username { get; init; } = "";

    /// <summary>Password that callers send with Basic authentication. Secret.</summary>
    [Secret]
    public string Password { get; init; } = "";

    /// <summary>Where registries may be whose images are scanned though they are not public, beside <c>outgoing.allow</c>: host names, addresses and networks.</summary>
    public IReadOnlyList<string> Allow { get; init; } = [];

    /// <summary>Largest image that is pulled for a scan: the sum of its layers as they are stored, in bytes.</summary>
    public long MaxImageBytes { get; init; } = 20L << 30;

    /// <summary>Most scans that wait or run; further requests are refused.</summary>
    public int MaxWaiting { get; init; } = 1000;

    /// <summary>Most images that this process reads at a time.</summary>
    public int MaxConcurrent { get; init; } = 1;

    /// <summary>Time limit of one scan.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long reports can be fetched.</summary>
    public TimeSpan KeepReports { get; init; } = TimeSpan.FromHours(24);
}
