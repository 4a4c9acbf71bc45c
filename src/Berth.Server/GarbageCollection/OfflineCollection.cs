using System.Data.Common;
using Berth.Blobs.FileSystem;
using Berth.Server.Adoption;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Server.GarbageCollection;

/// <summary>
/// <c>registry garbage-collect</c>, as Docker Registry's program has it, over the database: the blob store is never listed.
/// 1. what an earlier collection left is finished, 2. each repository: with delete-untagged, manifests that no tag leads to go
/// (<see cref="UntaggedManifests"/>), the others are marked, 3. the sums, 4. blobs that no manifest refers to go, batch by batch
/// (<see cref="BlobSweep"/>). Every manifest is a root unless delete-untagged says otherwise. It may run beside servers, and
/// may be killed at any point and run again.
/// </summary>
public sealed class OfflineCollection
{
    private readonly Database _database;
    private readonly CollectionOptions _options;
    private readonly TextWriter _output;
    private readonly ByteRemoval _bytes;
    private readonly long _cutoff;
    private readonly long _now;

    private OfflineCollection(Database database, BlobStores stores, CollectionOptions options, TextWriter output, TimeProvider time)
    {
        (_database, _options) = (database, options);
        _output = options.Quiet ? TextWriter.Null : output;
        _bytes = new ByteRemoval(database, stores, time, NullLogger<ByteRemoval>.Instance);
        _cutoff = (time.GetUtcNow() - options.Grace).ToUnixTimeMilliseconds();
        _now = time.GetUtcNow().ToUnixTimeMilliseconds();
    }

    private bool IsDryUntagged => _options is { DryRun: true, DeleteUntagged: true };

    /// <summary>Collects.</summary>
    /// <param name="database">Migrated.</param>
    /// <param name="stores">Where the bytes are.</param>
    /// <param name="root">Folder of the store, where an unfinished adoption leaves its mark; null for a store that is no folder.</param>
    /// <param name="options">How.</param>
    /// <param name="output">Gets one line for each thing, in the words of Docker Registry's program.</param>
    /// <param name="time">Clock.</param>
    /// <param name="ct">Ends the collection between two transactions.</param>
    /// <exception cref="CollectionRefusedException">An adoption is not finished: blobs would be removed whose manifests are not known yet.</exception>
    public static Task<CollectionReport> RunAsync(
        Database database, BlobStores stores, string? root, CollectionOptions options, TextWriter output, TimeProvider time, CancellationToken ct)
    {
        if (root is not null && new AdoptionMark(new ContentPaths(root)).IsSet)
            throw new CollectionRefusedException("an adoption was begun and is not finished: run berth adopt, or start the server, then collect");
        return new OfflineCollection(database, stores, options, output, time).RunAsync(ct);
    }

    private async Task<CollectionReport> RunAsync(CancellationToken ct)
    {
        // 1.
        var freed = _options.DryRun ? 0 : await _bytes.RunAllAsync(_options.BatchSize, ct).ConfigureAwait(false);

        // 2.
        var manifests = 0L;
        for (var name = ""; await NextRepositoryAsync(name, ct).ConfigureAwait(false) is { } repository;)
        {
            name = repository.Name;
            await _output.WriteLineAsync(name).ConfigureAwait(false);
            if (_options.DeleteUntagged)
            {
                manifests += _options.DryRun
                    ? await ListUntaggedAsync(repository.Id, ct).ConfigureAwait(false)
                    : await RemoveUntaggedAsync(repository.Id, ct).ConfigureAwait(false);
            }
            if (!_options.Quiet) await TellMarkedAsync(repository, ct).ConfigureAwait(false);
        }

        // 3.
        var marked = await CountAsync(IsDryUntagged ? CountMarkedOfKept : CountMarked, ct).ConfigureAwait(false);
        var unused = await CountAsync(IsDryUntagged ? CountUnusedOfKept : CountUnused, ct).ConfigureAwait(false);
        await _output.WriteLineAsync($"\n{marked.Count} blobs marked, {unused.Count} blobs and {manifests} manifests eligible for deletion").ConfigureAwait(false);

        // 4.
        var blobs = unused.Count;
        if (!_options.DryRun)
        {
            (blobs, var swept) = await SweepAsync(ct).ConfigureAwait(false);
            freed += swept;
        }
        else if (!_options.Quiet)
        {
            await ListUnusedAsync(ct).ConfigureAwait(false);
        }
        await _output.WriteLineAsync(_options.DryRun ? $"{unused.Bytes} bytes would be freed" : $"{freed} bytes freed").ConfigureAwait(false);
        return new CollectionReport
        {
            IsDryRun = _options.DryRun,
            Marked = marked.Count,
            Manifests = manifests,
            Blobs = blobs,
            FreedBytes = _options.DryRun ? unused.Bytes : freed,
        };
    }

    // ---- manifests ----

    private async Task<long> RemoveUntaggedAsync(long repositoryId, CancellationToken ct)
    {
        for (var total = 0L; ;)
        {
            var (round, after) = (0, "");
            while (true)
            {
                var removed = await _database.WriteAsync(Durability.Full, (session, token) =>
                    UntaggedManifests.RemoveAsync(session, repositoryId, after, _cutoff, _options.BatchSize, _now, token), ct).ConfigureAwait(false);
                foreach (var digest in removed) await TellUntaggedAsync(digest).ConfigureAwait(false);
                round += removed.Count;
                if (removed.Count < _options.BatchSize) break;
                after = removed[^1];
            }
            if (round == 0) return total;
            total += round;
        }
    }

    private async Task<long> ListUntaggedAsync(long repositoryId, CancellationToken ct)
    {
        const int pageSize = 10_000;
        for (var (total, after) = (0L, ""); ;)
        {
            var page = await _database.ReadAsync((repositoryId, after, _cutoff), static (session, q, token) =>
                UntaggedManifests.ListAsync(session, q.repositoryId, q.after, q._cutoff, pageSize, token), ct).ConfigureAwait(false);
            foreach (var digest in page) await TellUntaggedAsync(digest).ConfigureAwait(false);
            total += page.Count;
            if (page.Count < pageSize) return total;
            after = page[^1];
        }
    }

    private Task TellUntaggedAsync(string digest) => _output.WriteLineAsync($"manifest eligible for deletion: {digest}");

    private async Task TellMarkedAsync(OneRepository repository, CancellationToken ct)
    {
        var last = "";
        object?[] values = IsDryUntagged ? [repository.Id, _cutoff] : [repository.Id];
        await StreamAsync(IsDryUntagged ? SelectMarkedOfKept : SelectMarked, values, async row =>
        {
            if (row.GetString(0) != last)
            {
                last = row.GetString(0);
                await _output.WriteLineAsync($"{repository.Name}: marking manifest {last}").ConfigureAwait(false);
            }
            if (!row.IsDBNull(1)) await _output.WriteLineAsync($"{repository.Name}: marking blob {row.GetString(1)}").ConfigureAwait(false);
        }, ct).ConfigureAwait(false);
    }

    // ---- blobs ----

    private async Task<(long Blobs, long Bytes)> SweepAsync(CancellationToken ct)
    {
        for (var (blobs, bytes, after) = (0L, 0L, ""); ;)
        {
            var candidates = await FindUnusedAsync(after, ct).ConfigureAwait(false);
            if (candidates.Count == 0) return (blobs, bytes);
            after = candidates[^1];
            var removed = await _database.WriteAsync(Durability.Full, async (session, token) =>
                await BlobSweep.RemoveAsync(session, await BlobSweep.HoldAsync(session, candidates, token).ConfigureAwait(false), _cutoff, _now, token).ConfigureAwait(false), ct).ConfigureAwait(false);
            foreach (var blob in removed) await TellUnusedAsync(blob.Digest).ConfigureAwait(false);
            bytes += await _bytes.RunAllAsync(_options.BatchSize, ct).ConfigureAwait(false);
            blobs += removed.Count;
        }
    }

    private ValueTask<List<string>> FindUnusedAsync(string after, CancellationToken ct) =>
        _database.ReadAsync((after, _cutoff, (long)_options.BatchSize), static async (session, q, token) =>
        {
            var digests = new List<string>();
            await using var reader = await session.Command(SelectUnusedPage, q.after, q._cutoff, q.Item3).ExecuteReaderAsync(token).ConfigureAwait(false);
            while (await reader.ReadAsync(token).ConfigureAwait(false)) digests.Add(reader.GetString(0));
            return digests;
        }, ct);

    private Task ListUnusedAsync(CancellationToken ct) =>
        StreamAsync(IsDryUntagged ? SelectUnusedOfKept : SelectUnused, [_cutoff], row => TellUnusedAsync(row.GetString(0)), ct).AsTask();

    private Task TellUnusedAsync(string digest) => _output.WriteLineAsync($"blob eligible for deletion: {digest}");

    // ---- reading ----

    private ValueTask<OneRepository?> NextRepositoryAsync(string after, CancellationToken ct) =>
        _database.ReadAsync(after, static async (session, name, token) =>
        {
            await using var reader = await session.Command(SelectRepository, name).ExecuteReaderAsync(token).ConfigureAwait(false);
            return await reader.ReadAsync(token).ConfigureAwait(false) ? new OneRepository(reader.GetInt64(0), reader.GetString(1)) : null;
        }, ct);

    private ValueTask<(long Count, long Bytes)> CountAsync(Statement statement, CancellationToken ct) =>
        _database.ReadAsync((statement, _cutoff), static async (session, q, token) =>
        {
            await using var reader = await session.Command(q.statement, q._cutoff).ExecuteReaderAsync(token).ConfigureAwait(false);
            await reader.ReadAsync(token).ConfigureAwait(false);
            return (reader.GetInt64(0), reader.GetInt64(1));
        }, ct);

    // One query, row by row: nothing is held, however long the list.
    private ValueTask<bool> StreamAsync(Statement statement, object?[] values, Func<DbDataReader, Task> each, CancellationToken ct) =>
        _database.ReadAsync((statement, values, each), static async (session, q, token) =>
        {
            await using var reader = await session.Command(q.statement, q.values).ExecuteReaderAsync(token).ConfigureAwait(false);
            while (await reader.ReadAsync(token).ConfigureAwait(false)) await q.each(reader).ConfigureAwait(false);
            return true;
        }, ct);

    private sealed record OneRepository(long Id, string Name);

    private static readonly Statement SelectRepository = new("SELECT id, name FROM repositories WHERE name > @0 ORDER BY name LIMIT 1");

    private static readonly Statement SelectMarked = new("""
        SELECT m.digest, b.digest FROM manifests m
        LEFT JOIN manifest_blobs r ON r.manifest_id = m.id LEFT JOIN blobs b ON b.id = r.blob_id AND b.digest <> m.digest
        WHERE m.repository_id = @0 ORDER BY m.digest, b.digest
        """);

    private const string MarkedOfKept = """
        SELECT m.digest, b.digest FROM manifests m JOIN kept k ON k.id = m.id
        LEFT JOIN manifest_blobs r ON r.manifest_id = m.id LEFT JOIN blobs b ON b.id = r.blob_id AND b.digest <> m.digest
        WHERE m.repository_id = @0 ORDER BY m.digest, b.digest
        """;

    private static readonly Statement SelectMarkedOfKept = new(UntaggedManifests.KeptOfOneOnSqlite + MarkedOfKept, UntaggedManifests.KeptOfOneOnPostgres + MarkedOfKept);

    // The parameter has to occur.
    private static readonly Statement CountMarked = new("""
        SELECT count(*), 0 * @0 FROM (
            SELECT digest FROM manifests UNION SELECT b.digest FROM blobs b WHERE EXISTS (SELECT 1 FROM manifest_blobs r WHERE r.blob_id = b.id)) AS u
        """);

    private const string MarkedCountOfKept = """
        SELECT count(*), CAST(0 AS bigint) FROM (
            SELECT m.digest FROM manifests m JOIN kept k ON k.id = m.id
            UNION SELECT b.digest FROM kept k JOIN manifest_blobs r ON r.manifest_id = k.id JOIN blobs b ON b.id = r.blob_id) AS u
        """;

    private static readonly Statement CountMarkedOfKept =
        new(UntaggedManifests.KeptOnSqlite + MarkedCountOfKept, UntaggedManifests.KeptOnPostgres + MarkedCountOfKept);

    private static readonly string s_unused = $"FROM blobs b WHERE {UnusedBlobs.Condition("@0")}";
    private static readonly string s_unusedOfKept = $"FROM blobs b WHERE {UnusedBlobs.ConditionOfKept("@0")}";

    private const string CountAndBytes = "SELECT count(*), CAST(coalesce(sum(b.size), 0) AS bigint) ";

    private static readonly Statement CountUnused = new(CountAndBytes + s_unused);

    private static readonly Statement CountUnusedOfKept = new(
        UntaggedManifests.KeptOnSqlite + CountAndBytes + s_unusedOfKept, UntaggedManifests.KeptOnPostgres + CountAndBytes + s_unusedOfKept);

    private static readonly Statement SelectUnused = new("SELECT b.digest " + s_unused + " ORDER BY b.digest");

    private static readonly Statement SelectUnusedPage = new(
        $"SELECT b.digest FROM blobs b WHERE b.digest > @0 AND {UnusedBlobs.Condition("@1")} ORDER BY b.digest LIMIT @2");

    private static readonly Statement SelectUnusedOfKept = new(
        UntaggedManifests.KeptOnSqlite + "SELECT b.digest " + s_unusedOfKept + " ORDER BY b.digest",
        UntaggedManifests.KeptOnPostgres + "SELECT b.digest " + s_unusedOfKept + " ORDER BY b.digest");
}
