using System.Collections.Concurrent;
using System.Data.Common;
using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Retention;

/// <summary>When a cluster last pulled a manifest.</summary>
public sealed class ManifestUse
{
    public long ManifestId { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long UsedAt { get; set; }
}

internal sealed class ManifestUseMap : IEntityTypeConfiguration<ManifestUse>
{
    public void Configure(EntityTypeBuilder<ManifestUse> builder)
    {
        builder.ToTable("manifest_uses");
        builder.HasKey(u => u.ManifestId);
        builder.Property(u => u.ManifestId).HasColumnName("manifest_id").ValueGeneratedNever();
        builder.Property(u => u.UsedAt).HasColumnName("used_at");
        builder.HasOne<Manifest>().WithMany().HasForeignKey(u => u.ManifestId).OnDelete(DeleteBehavior.Cascade);
    }
}

/// <summary>
/// Remembers what clusters pull, told by the runtimes that their nodes use: containerd and CRI-O say who they are. A pull takes one entry in memory; every few seconds, and
/// when the server stops, they go into the database. What retention keeps for that is <see cref="RetentionRuleSet.KeepsUsed"/>.
/// </summary>
internal sealed class ClusterUse(Database database, TimeProvider time, ILogger<ClusterUse> logger) : BackgroundService, IPullListener
{
    /// <summary>Most different manifests between two writes; what comes on top is not remembered.</summary>
    private const int MaxEntries = 16_384;

    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(5);
    private ConcurrentDictionary<(string Repository, string Digest), long> _pulled = new();

    /// <inheritdoc/>
    public void Pulled(RegistryRequest request, string tag, string digest)
    {
        if (!IsNode(request.Http.Request.Headers.UserAgent.ToString())) return;
        var pulled = _pulled;
        if (pulled.Count < MaxEntries) pulled[(request.Repository, digest)] = time.GetUtcNow().ToUnixTimeMilliseconds();
    }

    /// <summary>Whether a client is the runtime of a cluster's node.</summary>
    internal static bool IsNode(string agent) =>
        agent.StartsWith("containerd/", StringComparison.OrdinalIgnoreCase) || agent.StartsWith("cri-o/", StringComparison.OrdinalIgnoreCase)
        || agent.StartsWith("kubelet/", StringComparison.OrdinalIgnoreCase);

    /// <summary>Writes what was pulled until now.</summary>
    public async Task FlushAsync(CancellationToken ct)
    {
        var pulled = Interlocked.Exchange(ref _pulled, new());
        if (pulled.IsEmpty) return;
        var uses = JsonSerializer.Serialize(pulled.Select(p => new Use(p.Key.Repository, p.Key.Digest, p.Value)).OrderBy(u => u.Repository, StringComparer.Ordinal).ThenBy(u => u.Digest, StringComparer.Ordinal));
        await database.WriteAsync(Durability.Relaxed, async (session, token) => await session.ExecuteAsync(Upsert, [uses], token).ConfigureAwait(false), ct).ConfigureAwait(false);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(s_interval, time, stoppingToken).ConfigureAwait(false);
                await FlushAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is DbException or TimeoutException)
            {
                // A cluster that uses an image pulls it again sooner or later.
                logger.UseNotWritten(e);
            }
        }
    }

    /// <summary>The last seconds before the end.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is DbException or TimeoutException)
        {
            logger.UseNotWritten(e);
        }
    }

    private sealed record Use([property: JsonPropertyName("r")] string Repository, [property: JsonPropertyName("d")] string Digest, [property: JsonPropertyName("t")] long At);

    private static readonly Statement Upsert = new("""
        INSERT INTO manifest_uses (manifest_id, used_at)
        SELECT m.id, j.value ->> 't' FROM json_each(@0) j CROSS JOIN repositories r ON r.name = j.value ->> 'r' CROSS JOIN manifests m ON m.repository_id = r.id AND m.digest = j.value ->> 'd' WHERE true
        ON CONFLICT (manifest_id) DO UPDATE SET used_at = max(manifest_uses.used_at, excluded.used_at)
        """, """
        INSERT INTO manifest_uses (manifest_id, used_at)
        SELECT m.id, j.t FROM jsonb_to_recordset(@0::jsonb) AS j(r text, d text, t bigint) JOIN repositories r ON r.name = j.r JOIN manifests m ON m.repository_id = r.id AND m.digest = j.d ORDER BY m.id
        ON CONFLICT (manifest_id) DO UPDATE SET used_at = greatest(manifest_uses.used_at, excluded.used_at)
        """);
}

internal static partial class ClusterUseLog
{
    [LoggerMessage(2411, LogLevel.Warning, "pulls by clusters not written")]
    public static partial void UseNotWritten(this ILogger logger, Exception error);
}
