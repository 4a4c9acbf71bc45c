using Berth.Server.Platform.Options;

namespace Berth.Server.Scanning.Updates;

/// <summary>Where the server gets advisories from (section <c>advisories</c>). Without sources it asks nobody.</summary>
public sealed record AdvisoryOptions
{
    /// <summary>
    /// Artifacts of registries with advisories: Trivy's database, files, or one bundle of <c>berth db export --push</c>. Each may have mirrors behind commas:
    /// <c>mirror.gcr.io/aquasec/trivy-db:2,ghcr.io/aquasecurity/trivy-db:2</c>. Their hosts need not stand in <c>outgoing.allow</c>.
    /// </summary>
    public IReadOnlyList<string> Sources { get; init; } = [];

    /// <summary>When the sources are asked: six fields of cron with seconds first, in UTC. One replica asks, all use what it finds.</summary>
    public string Schedule { get; init; } = "0 17 */6 * * *";

    /// <summary>Files with public keys (PEM); a bundle must be signed with one of them.</summary>
    public IReadOnlyList<string> Keys { get; init; } = [];

    /// <summary>Takes bundles without looking at their signature.</summary>
    public bool AllowUnsigned { get; init; }

    /// <summary>Name for the registries of the sources.</summary>
    public string? Username { get; init; }

    /// <summary>Password for the registries of the sources. Secret.</summary>
    [Secret]
    public string? Password { get; init; }

    /// <summary>Takes any certificate of the sources' registries, and plain HTTP where there is no TLS.</summary>
    public bool Insecure { get; init; }

    /// <summary>From which age of the database the server warns: in the log, in the metrics and where the database is shown.</summary>
    public TimeSpan WarnAfter { get; init; } = TimeSpan.FromDays(7);
}
