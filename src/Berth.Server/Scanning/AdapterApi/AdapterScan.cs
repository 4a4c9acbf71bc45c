using System.Data.Common;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Scanning.AdapterApi;

/// <summary>A scan that another registry has asked Berth for; any replica answers for it.</summary>
public sealed class AdapterScan
{
    /// <summary>Random, so that nobody finds the reports of others.</summary>
    public required string Id { get; set; }

    public long JobId { get; set; }

    public ScanState State { get; set; }

    /// <summary>Base address of the registry.</summary>
    public required string RegistryUrl { get; set; }

    /// <summary>Value of the Authorization header for the registry, sealed with the key of the installation; null for none, and once the scan has ended.</summary>
    public byte[]? Authorization { get; set; }

    public required string Repository { get; set; }

    public required string Digest { get; set; }

    public string Tag { get; set; } = "";

    public string MediaType { get; set; } = "";

    /// <summary>Whether vulnerabilities are wanted.</summary>
    public bool WantsReport { get; set; }

    /// <summary>Whether an SPDX document is wanted.</summary>
    public bool WantsSpdx { get; set; }

    /// <summary>Whether a CycloneDX document is wanted.</summary>
    public bool WantsCycloneDx { get; set; }

    /// <summary>Why it failed; null when it did not.</summary>
    public string? Problem { get; set; }

    /// <summary>The report in Harbor's form, JSON in Brotli; null when there is none.</summary>
    public byte[]? Report { get; set; }

    /// <summary>Harbor's form of an SPDX document, JSON in Brotli; null when there is none.</summary>
    public byte[]? Spdx { get; set; }

    /// <summary>Harbor's form of a CycloneDX document, JSON in Brotli; null when there is none.</summary>
    public byte[]? CycloneDx { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long RequestedAt { get; set; }

    /// <summary>Unix milliseconds; null while it waits or runs.</summary>
    public long? FinishedAt { get; set; }
}

internal sealed class AdapterScanMap : IEntityTypeConfiguration<AdapterScan>
{
    public void Configure(EntityTypeBuilder<AdapterScan> builder)
    {
        builder.ToTable("adapter_scans");
        builder.HasKey(s => s.Id);
        builder.Property(s => s.Id).HasColumnName("id").HasMaxLength(64);
        builder.Property(s => s.JobId).HasColumnName("job_id");
        builder.Property(s => s.State).HasColumnName("state");
        builder.Property(s => s.RegistryUrl).HasColumnName("registry_url").HasMaxLength(AdapterRequest.MaxUrlChars);
        builder.Property(s => s.Authorization).HasColumnName("registry_authorization");
        builder.Property(s => s.Repository).HasColumnName("repository").HasMaxLength(512);
        builder.Property(s => s.Digest).HasColumnName("digest").HasMaxLength(160);
        builder.Property(s => s.Tag).HasColumnName("tag").HasMaxLength(160);
        builder.Property(s => s.MediaType).HasColumnName("media_type").HasMaxLength(255);
        builder.Property(s => s.WantsReport).HasColumnName("wants_report");
        builder.Property(s => s.WantsSpdx).HasColumnName("wants_spdx");
        builder.Property(s => s.WantsCycloneDx).HasColumnName("wants_cyclonedx");
        builder.Property(s => s.Problem).HasColumnName("problem").HasMaxLength(2000);
        builder.Property(s => s.Report).HasColumnName("report");
        builder.Property(s => s.Spdx).HasColumnName("spdx");
        builder.Property(s => s.CycloneDx).HasColumnName("cyclonedx");
        builder.Property(s => s.RequestedAt).HasColumnName("requested_at");
        builder.Property(s => s.FinishedAt).HasColumnName("finished_at");
        builder.HasIndex(s => s.RequestedAt);
        builder.HasIndex(s => s.State);
    }
}

/// <summary>Rows of scans that others have asked for.</summary>
internal static class AdapterScanRows
{
    /// <summary>A scan without its documents; null when there is none.</summary>
    public static async ValueTask<AdapterScan?> FindAsync(DbSession session, string id, CancellationToken ct)
    {
        await using var row = await session.Command(Select, id).ExecuteReaderAsync(ct).ConfigureAwait(false);
        if (!await row.ReadAsync(ct).ConfigureAwait(false)) return null;
        var scan = new AdapterScan
        {
            Id = id,
            JobId = row.GetInt64(0),
            State = (ScanState)row.GetInt32(1),
            RegistryUrl = row.GetString(2),
            Authorization = BytesOf(row, 3),
            Repository = row.GetString(4),
            Digest = row.GetString(5),
            Tag = row.GetString(6),
            MediaType = row.GetString(7),
            WantsReport = row.GetBoolean(8),
            WantsSpdx = row.GetBoolean(9),
            WantsCycloneDx = row.GetBoolean(10),
            Problem = row.IsDBNull(11) ? null : row.GetString(11),
            RequestedAt = row.GetInt64(12),
        };
        // Its job was given up without a word, or is gone.
        if (scan.State == ScanState.Requested && (row.IsDBNull(13) || row.GetInt32(13) >= (int)JobState.Succeeded)) (scan.State, scan.Problem) = (ScanState.Failed, "the scan was given up");
        return scan;
    }

    /// <summary>One of its documents, packed; null when there is none.</summary>
    public static async ValueTask<byte[]?> DocumentAsync(DbSession session, string id, AdapterDocument document, CancellationToken ct)
    {
        var statement = document switch { AdapterDocument.Spdx => SelectSpdx, AdapterDocument.CycloneDx => SelectCycloneDx, _ => SelectReport };
        await using var row = await session.Command(statement, id).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? BytesOf(row, 0) : null;
    }

    /// <summary>How many wait or run.</summary>
    public static async ValueTask<long> CountWaitingAsync(DbSession session, CancellationToken ct) => await session.ScalarAsync(CountWaiting, [], ct).ConfigureAwait(false) ?? 0;

    /// <summary>Forgets what is older than a time.</summary>
    public static async ValueTask PurgeAsync(DbSession session, long before, CancellationToken ct) => await session.ExecuteAsync(Purge, [before], ct).ConfigureAwait(false);

    /// <summary>Adds a scan; its job is set afterwards.</summary>
    public static async ValueTask AddAsync(DbSession session, AdapterScan scan, CancellationToken ct) => await session.ExecuteAsync(Insert,
    [
        scan.Id, scan.JobId, scan.RegistryUrl, scan.Authorization, scan.Repository, scan.Digest, scan.Tag, scan.MediaType, scan.WantsReport, scan.WantsSpdx, scan.WantsCycloneDx, scan.RequestedAt,
    ], ct).ConfigureAwait(false);

    /// <summary>Keeps what came of a scan and forgets the registry's credentials.</summary>
    public static async ValueTask FinishAsync(DbSession session, AdapterScan scan, CancellationToken ct) =>
        await session.ExecuteAsync(Finish, [scan.Id, (int)scan.State, scan.Problem, scan.Report, scan.Spdx, scan.CycloneDx, scan.FinishedAt], ct).ConfigureAwait(false);

    private static byte[]? BytesOf(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetFieldValue<byte[]>(column);

    private static readonly Statement Select = new("""
        SELECT s.job_id, s.state, s.registry_url, s.registry_authorization, s.repository, s.digest, s.tag, s.media_type, s.wants_report, s.wants_spdx, s.wants_cyclonedx, s.problem, s.requested_at, j.state
        FROM adapter_scans s LEFT JOIN jobs j ON j.id = s.job_id WHERE s.id = @0
        """);

    private static readonly Statement SelectReport = new("SELECT report FROM adapter_scans WHERE id = @0");
    private static readonly Statement SelectSpdx = new("SELECT spdx FROM adapter_scans WHERE id = @0");
    private static readonly Statement SelectCycloneDx = new("SELECT cyclonedx FROM adapter_scans WHERE id = @0");
    private static readonly Statement CountWaiting = new("SELECT COUNT(*) FROM adapter_scans s JOIN jobs j ON j.id = s.job_id WHERE s.state = 0 AND j.state < 3");
    private static readonly Statement Purge = new("DELETE FROM adapter_scans WHERE requested_at < @0");

    private static readonly Statement Insert = new("""
        INSERT INTO adapter_scans (id, job_id, state, registry_url, registry_authorization, repository, digest, tag, media_type, wants_report, wants_spdx, wants_cyclonedx, requested_at)
        VALUES (@0, @1, 0, @2, @3, @4, @5, @6, @7, @8, @9, @10, @11)
        """);

    private static readonly Statement Finish = new("""
        UPDATE adapter_scans SET state = @1, problem = @2, report = @3, spdx = @4, cyclonedx = @5, finished_at = @6, registry_authorization = NULL WHERE id = @0
        """);
}

/// <summary>What a scan for others can come to.</summary>
internal enum AdapterDocument
{
    Report,
    Spdx,
    CycloneDx,
}
