namespace Berth.Server.Scanning.Adapters;

/// <summary>A kind of scanner outside of Berth: how it is described, asked, and looked after. Nothing waits here: whoever calls comes back later.</summary>
internal interface IOutsideScanner
{
    /// <summary>Word in <see cref="Scanners.ScannerRegistration.Kind"/>.</summary>
    string Kind { get; }

    /// <summary>What the scanner is and can do.</summary>
    /// <param name="scanner">The scanner.</param>
    /// <param name="timeout">Time limit, when it is to be another than that of the settings.</param>
    /// <param name="ct">Cancels.</param>
    Task<ScannerDescription> DescribeAsync(ScannerEndpoint scanner, TimeSpan? timeout, CancellationToken ct);

    /// <summary>Asks for a scan.</summary>
    Task<ScanStep> AskAsync(ScannerEndpoint scanner, ScannerMetadataJson metadata, PulledImage image, CancellationToken ct);

    /// <summary>Looks whether a scan that was asked for has its report.</summary>
    Task<ScanStep> LookAsync(ScannerEndpoint scanner, ScanTarget target, string requestId, CancellationToken ct);
}

/// <summary>What a scanner says of itself, or why it says nothing.</summary>
internal sealed record ScannerDescription(ScannerMetadataJson? Metadata, string? Problem);

/// <summary>An image as a scanner outside is told of it.</summary>
/// <param name="Target">The image.</param>
/// <param name="RegistryUrl">Where the scanner finds this registry.</param>
/// <param name="Access">The right to pull it.</param>
internal sealed record PulledImage(ScanTarget Target, string RegistryUrl, ScanPass Access);

/// <summary>What came of asking a scanner, or of looking after it.</summary>
internal abstract record ScanStep
{
    private ScanStep()
    {
    }

    /// <summary>It works on it.</summary>
    /// <param name="RequestId">What to ask for.</param>
    /// <param name="After">When to look; null when it does not say.</param>
    internal sealed record Waiting(string RequestId, TimeSpan? After) : ScanStep;

    /// <summary>It has the report.</summary>
    /// <param name="Report">In Harbor's form.</param>
    internal sealed record Reported(OutsideReport Report) : ScanStep;

    /// <summary>It has the bill of materials.</summary>
    /// <param name="Document">SPDX, JSON.</param>
    internal sealed record Listed(byte[] Document) : ScanStep;

    /// <summary>It will never do it.</summary>
    internal sealed record Refused(string Why) : ScanStep;

    /// <summary>It cannot be reached or is overloaded: the same again, later.</summary>
    internal sealed record Unavailable(string Why, TimeSpan? After) : ScanStep;

    /// <summary>It knows nothing of the request any more: ask again.</summary>
    internal sealed record Lost(string Why) : ScanStep;

    /// <summary>The step of an answer that is no success.</summary>
    public static ScanStep OfError(string doing, ScannerAnswer answer) => answer.Status switch
    {
        0 or 408 or 425 or 429 or 502 or 503 or 504 => new Unavailable($"{doing}: {answer.Said}", answer.RetryAfter),
        _ => new Refused($"{doing}: {answer.Said}"),
    };
}
