using System.Security.Cryptography;
using System.Text;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Scanning.Adapters;

/// <summary>
/// A scan that a scanner outside has been asked for: how far it is, and the secret by which the scanner may pull the image. It is good while its job is unfinished, until its end at most, and goes
/// with the report.
/// </summary>
public sealed class ScanTicket
{
    public long JobId { get; set; }

    public long ManifestId { get; set; }

    public required string ScannerId { get; set; }

    /// <summary>What the scanner calls it; null before it has taken the scan.</summary>
    public string? RequestId { get; set; }

    /// <summary>SHA-256 of the secret.</summary>
    public required byte[] SecretHash { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long BeganAt { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long EndsAt { get; set; }

    /// <summary>How often the report has been looked for.</summary>
    public int Looks { get; set; }
}

internal sealed class ScanTicketMap : IEntityTypeConfiguration<ScanTicket>
{
    public void Configure(EntityTypeBuilder<ScanTicket> builder)
    {
        builder.ToTable("scan_tickets");
        builder.HasKey(t => t.JobId);
        builder.Property(t => t.JobId).HasColumnName("job_id").ValueGeneratedNever();
        builder.Property(t => t.ManifestId).HasColumnName("manifest_id");
        builder.Property(t => t.ScannerId).HasColumnName("scanner_id").HasMaxLength(64);
        builder.Property(t => t.RequestId).HasColumnName("request_id").HasMaxLength(512);
        builder.Property(t => t.SecretHash).HasColumnName("secret_hash");
        builder.Property(t => t.BeganAt).HasColumnName("began_at");
        builder.Property(t => t.EndsAt).HasColumnName("ends_at");
        builder.Property(t => t.Looks).HasColumnName("looks");
        builder.HasOne<Manifest>().WithMany().HasForeignKey(t => t.ManifestId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(t => t.ManifestId);
    }
}

/// <summary>Rows of tickets. Whoever ends one lets the credentials be forgotten that are remembered.</summary>
internal static class ScanTickets
{
    /// <summary>Prefix of the identity of its holder.</summary>
    public const string CallerPrefix = "scan:";

    /// <summary>The ticket of a job; null when it has none yet.</summary>
    public static async ValueTask<ScanTicket?> FindAsync(DbSession session, long jobId, CancellationToken ct)
    {
        await using var row = await session.Command(Select, jobId).ExecuteReaderAsync(ct).ConfigureAwait(false);
        if (!await row.ReadAsync(ct).ConfigureAwait(false)) return null;
        return new ScanTicket
        {
            JobId = jobId,
            ManifestId = row.GetInt64(0),
            ScannerId = row.GetString(1),
            RequestId = row.IsDBNull(2) ? null : row.GetString(2),
            SecretHash = row.GetFieldValue<byte[]>(3),
            BeganAt = row.GetInt64(4),
            EndsAt = row.GetInt64(5),
            Looks = row.GetInt32(6),
        };
    }

    /// <summary>Gives a job a new secret. The time at which it began stays.</summary>
    public static async ValueTask<string> IssueAsync(DbSession session, ScanTicket ticket, CancellationToken ct)
    {
        var secret = RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 40);
        // What jobs that were stopped have left behind.
        await session.ExecuteAsync(DeleteEnded, [ticket.ManifestId], ct).ConfigureAwait(false);
        await session.ExecuteAsync(Upsert, [ticket.JobId, ticket.ManifestId, ticket.ScannerId, HashOf(secret), ticket.BeganAt, ticket.EndsAt], ct).ConfigureAwait(false);
        await session.AnnounceAsync(Topics.Credentials, CallerPrefix + ticket.JobId, ct).ConfigureAwait(false);
        return secret;
    }

    /// <summary>Notes what the scanner calls the scan, or (null) that it must be asked again.</summary>
    public static async ValueTask SetRequestAsync(DbSession session, long jobId, string? requestId, CancellationToken ct) =>
        await session.ExecuteAsync(SetRequest, [jobId, requestId], ct).ConfigureAwait(false);

    /// <summary>Counts a look at the report.</summary>
    public static async ValueTask CountLookAsync(DbSession session, long jobId, CancellationToken ct) =>
        await session.ExecuteAsync(CountLook, [jobId], ct).ConfigureAwait(false);

    /// <summary>Ends a ticket.</summary>
    public static async ValueTask EndAsync(DbSession session, long jobId, CancellationToken ct)
    {
        if (await session.ExecuteAsync(Delete, [jobId], ct).ConfigureAwait(false) > 0)
            await session.AnnounceAsync(Topics.Credentials, CallerPrefix + jobId, ct).ConfigureAwait(false);
    }

    /// <summary>What is kept of a secret.</summary>
    public static byte[] HashOf(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    private static readonly Statement Select = new("SELECT manifest_id, scanner_id, request_id, secret_hash, began_at, ends_at, looks FROM scan_tickets WHERE job_id = @0");

    private static readonly Statement Upsert = new("""
        INSERT INTO scan_tickets (job_id, manifest_id, scanner_id, request_id, secret_hash, began_at, ends_at, looks) VALUES (@0, @1, @2, NULL, @3, @4, @5, 0)
        ON CONFLICT (job_id) DO UPDATE SET request_id = NULL, secret_hash = excluded.secret_hash, looks = 0
        """);

    private static readonly Statement DeleteEnded = new("""
        DELETE FROM scan_tickets WHERE manifest_id = @0 AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = scan_tickets.job_id AND j.state < 3)
        """);

    private static readonly Statement SetRequest = new("UPDATE scan_tickets SET request_id = @1 WHERE job_id = @0");
    private static readonly Statement CountLook = new("UPDATE scan_tickets SET looks = looks + 1 WHERE job_id = @0");
    private static readonly Statement Delete = new("DELETE FROM scan_tickets WHERE job_id = @0");
}
