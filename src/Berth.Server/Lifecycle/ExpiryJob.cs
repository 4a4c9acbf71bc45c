using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Text;
using Berth.Server.Registry;

namespace Berth.Server.Lifecycle;

/// <summary>
/// Announces tags whose end is near, then lets those go whose end has come, through the trash; a batch after the other, a manifest in a transaction, so that a run that was cut off is gone on
/// with. What has been pushed anew or kept meanwhile is looked at again under the lock.
/// </summary>
internal sealed class ExpiryJob(Database database, ExpiryRemoval removal, DomainEvents events, LifecycleOptions options, TimeProvider time) : IJobHandler
{
    /// <summary>Kind of the job.</summary>
    public const string JobKind = "tag_expiry";

    private const int Batch = 200;

    public string Kind => JobKind;

    public int MaxConcurrent => 1;

    public int? MaxConcurrentOverall => 1;

    public async Task<JobOutcome> RunAsync(JobRun run, CancellationToken ct)
    {
        var told = 0;
        for (var count = Batch; count == Batch; told += count) count = await TellAsync(ct).ConfigureAwait(false);
        if (told > 0) run.Log($"{told} tags expire within {options.ExpiryNotice}");
        var (gone, kept) = (0, 0);
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            var due = await database.ReadAsync(Now, static (session, now, token) => DueAsync(session, now, token), ct).ConfigureAwait(false);
            foreach (var manifest in due)
            {
                ct.ThrowIfCancellationRequested();
                var (went, stayed) = await removal.RunAsync(manifest, run.Log, ct).ConfigureAwait(false);
                (gone, kept) = (gone + went, kept + stayed);
            }
            if (due.Count < Batch) break;
        }
        run.Log($"{gone} expired tags went, {kept} stay because something keeps them");
        return JobOutcome.Done;
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    // What is to be told is claimed in the transaction that tells it.
    private Task<int> TellAsync(CancellationToken ct) => database.WriteAsync(Durability.Full, async (session, token) =>
    {
        var ending = new List<(long ProjectId, TagExpiryDetail Detail, long RepositoryId)>();
        await using (var rows = await session.Command(SelectEnding, Now, (time.GetUtcNow() + options.ExpiryNotice).ToUnixTimeMilliseconds(), (long)Batch).ExecuteReaderAsync(token).ConfigureAwait(false))
        {
            while (await rows.ReadAsync(token).ConfigureAwait(false))
                ending.Add((rows.GetInt64(0), new TagExpiryDetail(rows.GetString(1), rows.GetString(2), rows.GetString(3), rows.GetInt64(4)), rows.GetInt64(5)));
        }
        foreach (var (projectId, detail, repositoryId) in ending)
        {
            await session.ExecuteAsync(SetTold, [repositoryId, detail.Tag], token).ConfigureAwait(false);
            await events.RaiseAsync(
                session, LifecycleEvents.OfExpiry(TagExpiryDetail.Soon, projectId, detail, $"{detail.Repository}:{detail.Tag} expires at {UtcText.Of(detail.ExpiresAt)}"), token).ConfigureAwait(false);
        }
        return ending.Count;
    }, ct);

    private static async ValueTask<List<ExpiredManifest>> DueAsync(DbSession session, long now, CancellationToken ct)
    {
        var due = new List<ExpiredManifest>();
        await using var rows = await session.Command(SelectDue, now, (long)Batch).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) due.Add(new ExpiredManifest(rows.GetInt64(0), rows.GetInt64(1), rows.GetString(2), rows.GetInt64(3), rows.GetString(4)));
        return due;
    }

    private const string Ending = """
        SELECT r.project_id, r.name, t.name, m.digest, t.expires_at, t.repository_id FROM tags t JOIN repositories r ON r.id = t.repository_id JOIN manifests m ON m.id = t.manifest_id
        WHERE t.expires_at > @0 AND t.expires_at <= @1 AND NOT t.is_expiry_told ORDER BY t.expires_at, t.repository_id, t.name LIMIT @2
        """;

    private static readonly Statement SelectEnding = new(Ending, Ending + " FOR UPDATE OF t SKIP LOCKED");
    private static readonly Statement SetTold = new("UPDATE tags SET is_expiry_told = TRUE WHERE repository_id = @0 AND name = @1");

    private static readonly Statement SelectDue = new("""
        SELECT DISTINCT r.project_id, r.id, r.name, m.id, m.digest FROM tags t JOIN repositories r ON r.id = t.repository_id JOIN manifests m ON m.id = t.manifest_id
        WHERE t.expires_at <= @0 ORDER BY m.id DESC LIMIT @1
        """);
}

/// <summary>A manifest of which a tag has expired.</summary>
internal sealed record ExpiredManifest(long ProjectId, long RepositoryId, string Repository, long Id, string Digest);
