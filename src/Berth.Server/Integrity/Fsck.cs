using Berth.Blobs.Encryption;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Storage;
using Berth.Server.Registry;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Server.Integrity;

/// <summary>
/// Compares database and blob stores both ways, beside servers or while none runs: 1. each blob has an object of its size, 2. each object is named by a row, or
/// by an upload or removal that is under way, 3. what waits. Content that no row names heals a blob that lost its own. What was found is looked at again before anything is done about it.
/// </summary>
internal sealed class Fsck
{
    private const int PageSize = 500;
    private const int AtATime = 8;

    private readonly Database _database;
    private readonly BlobStores _stores;
    private readonly FsckOptions _options;
    private readonly Action<string> _tell;
    private readonly Quarantine _quarantine;
    private readonly BlobRepair _repair;
    private readonly StrayObjects _strays;
    private readonly FsckReport _report = new();

    /// <param name="database">Migrated.</param>
    /// <param name="stores">All stores of the settings.</param>
    /// <param name="options">What to do.</param>
    /// <param name="tell">Gets a line for each finding.</param>
    /// <param name="time">Clock.</param>
    public Fsck(Database database, BlobStores stores, FsckOptions options, Action<string> tell, TimeProvider time)
    {
        (_database, _stores, _options, _tell) = (database, stores, options, tell);
        _quarantine = new Quarantine(database, new DomainEvents([], database), time);
        var copy = new BlobCopy(stores, new UploadSessions(database, time), new RegistryOptions());
        _repair = new BlobRepair(database, stores, copy, _quarantine, new ScrubCounters(), NullLogger<BlobRepair>.Instance);
        _strays = new StrayObjects(database, stores, _repair, options, _report, tell, time);
    }

    /// <summary>Compares.</summary>
    /// <exception cref="IOException">A store is out of order, or not in the settings.</exception>
    public async Task<FsckReport> RunAsync(CancellationToken ct)
    {
        // 1.
        for (var after = 0L; await RecordedBlob.NextAsync(_database, after, PageSize, ct).ConfigureAwait(false) is { Count: > 0 } page; after = page[^1].Id)
        {
            await Parallel.ForEachAsync(page, new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = ct }, async (blob, token) =>
                await CheckAsync(blob, token).ConfigureAwait(false)).ConfigureAwait(false);
            _report.Blobs += page.Count;
            _report.Bytes += page.Sum(b => b.Size);
        }
        if (_options.Repair) _report.Healed += await _repair.RunAsync(Pace.Unlimited, ct).ConfigureAwait(false);
        // 2.
        await _strays.FindAsync(ct).ConfigureAwait(false);
        if (_report.Recorded > 0) await Relink.RunAsync(_database, ct).ConfigureAwait(false);
        // 3.
        await _database.ReadAsync(_report, static async (session, report, token) =>
        {
            report.Quarantined = await session.ScalarAsync(CountQuarantined, [], token).ConfigureAwait(false) ?? 0;
            report.WaitingRemovals = await session.ScalarAsync(CountRemovals, [], token).ConfigureAwait(false) ?? 0;
            report.WaitingBytes = await session.ScalarAsync(SumRemovals, [], token).ConfigureAwait(false) ?? 0;
            return true;
        }, ct).ConfigureAwait(false);
        return _report;
    }

    private async ValueTask CheckAsync(RecordedBlob blob, CancellationToken ct)
    {
        if (blob.IsQuarantined) return;
        var size = await SizeAsync(blob, ct).ConfigureAwait(false);
        // A push or a move may be replacing it: its row tells.
        if (size == blob.Size || !await blob.IsCurrentAsync(_database, ct).ConfigureAwait(false)) return;
        size = await SizeAsync(blob, ct).ConfigureAwait(false);
        if (size == blob.Size) return;
        var list = size is null ? _report.Missing : _report.WrongSize;
        _report.Add(list, blob.Digest.Value);
        _tell(size is null
            ? $"missing: {blob.Digest} in the store {blob.Location.Store}"
            : $"wrong size: {blob.Digest} in the store {blob.Location.Store}: {(size < 0 ? "damaged" : $"{size} bytes")}, {blob.Size} are recorded");
        if (_options.Repair && await _quarantine.AddAsync(blob, size is null ? BlobHealth.Missing : BlobHealth.Wrong, ct).ConfigureAwait(false))
            _report.AddQuarantined();
    }

    // -1 for an object that no content of its kind has the size of.
    private async ValueTask<long?> SizeAsync(RecordedBlob blob, CancellationToken ct)
    {
        try
        {
            return await _stores[blob.Location.Store].GetSizeAsync(blob.Location.PlaceOf(blob.Digest), ct).ConfigureAwait(false);
        }
        catch (DamagedContentException)
        {
            return -1;
        }
    }

    private static readonly Statement CountQuarantined = new("SELECT count(*) FROM blobs WHERE quarantined_at IS NOT NULL");
    private static readonly Statement CountRemovals = new("SELECT count(*) FROM blob_removals");
    private static readonly Statement SumRemovals = new("SELECT CAST(coalesce(sum(size), 0) AS bigint) FROM blob_removals");
}
