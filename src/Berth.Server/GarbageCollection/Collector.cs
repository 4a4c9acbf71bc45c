using Berth.Server.Platform.Data;
using Berth.Server.Registry;

namespace Berth.Server.GarbageCollection;

/// <summary>
/// Removes what is due, batch by batch, until nothing is: manifests first, since their blobs become due by it, then blobs, then bytes. Any number of processes may
/// do it at a time; each may be killed at any point.
/// </summary>
internal sealed class Collector(
    Database database, ManifestReviewer manifests, BlobReviewer blobs, ByteRemoval bytes, GarbageCounters counters, GarbageOptions options, TimeProvider time)
{
    /// <summary>Collects.</summary>
    /// <param name="tell">Gets a line for each thing that goes; null for none.</param>
    /// <param name="rest">Pauses after each batch, as a multiple of the time that the batch took; 0 for none.</param>
    /// <param name="ct">Ends it between two transactions.</param>
    public async Task<Collected> RunAsync(Action<string>? tell, int rest, CancellationToken ct)
    {
        var sum = new Collected();
        while (await IsHeldAsync(ct).ConfigureAwait(false) is false)
        {
            var started = time.GetTimestamp();
            var step = await StepAsync(tell, ct).ConfigureAwait(false);
            if (step is null) return sum;
            sum += step;
            // What a store does not let go of now is not waited for.
            if (step is { Reviews: 0, Blobs: 0, Removals: 0 }) return sum;
            if (rest > 0) await Task.Delay(time.GetElapsedTime(started) * rest, time, ct).ConfigureAwait(false);
        }
        tell?.Invoke("a backup is running: nothing is removed until it has ended");
        return sum with { IsHeld = true };
    }

    private async Task<Collected?> StepAsync(Action<string>? tell, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        var fromManifests = await manifests.RunAsync(options.BatchSize, ct).ConfigureAwait(false);
        foreach (var manifest in fromManifests?.Removed ?? []) tell?.Invoke($"untagged manifest removed: {manifest.Repository}@{manifest.Digest}");
        var fromBlobs = await blobs.RunAsync(options.BatchSize, ct).ConfigureAwait(false);
        foreach (var blob in fromBlobs?.Removed ?? []) tell?.Invoke($"blob removed: {blob.Digest}, {blob.Size} bytes");
        counters.Reviewed((fromManifests?.Reviews ?? 0) + (fromBlobs?.Reviews ?? 0), time.GetElapsedTime(started));
        var freed = await bytes.RunAsync(options.BatchSize, ct).ConfigureAwait(false);
        counters.Removed(fromManifests?.Removed.Count ?? 0, fromBlobs?.Removed.Count ?? 0, freed);
        if (fromManifests is null && fromBlobs is null && freed is null) return null;
        return new Collected
        {
            Reviews = (fromManifests?.Reviews ?? 0) + (fromBlobs?.Reviews ?? 0),
            Manifests = fromManifests?.Removed.Count ?? 0,
            Blobs = fromBlobs?.Removed.Count ?? 0,
            Removals = freed?.Blobs ?? 0,
            FreedBytes = freed?.Bytes ?? 0,
            Failures = freed?.Failures ?? 0,
        };
    }

    private ValueTask<bool> IsHeldAsync(CancellationToken ct) =>
        database.ReadAsync(time.GetUtcNow().ToUnixTimeMilliseconds(), static async (session, now, token) =>
            await session.ScalarAsync(SelectHold, [now], token).ConfigureAwait(false) is not null, ct);

    private static readonly Statement SelectHold = new("SELECT 1 FROM gc_holds WHERE until > @0 LIMIT 1");
}

/// <summary>What a collection did.</summary>
internal sealed record Collected
{
    /// <summary>Manifests and blobs looked at.</summary>
    public long Reviews { get; init; }

    /// <summary>Untagged manifests removed.</summary>
    public long Manifests { get; init; }

    /// <summary>Blobs removed from the database.</summary>
    public long Blobs { get; init; }

    /// <summary>Objects removed from the stores.</summary>
    public long Removals { get; init; }

    /// <summary>Bytes that vanished from the stores.</summary>
    public long FreedBytes { get; init; }

    /// <summary>Objects that a store did not let go of; they are tried again.</summary>
    public long Failures { get; init; }

    /// <summary>A backup keeps everything as it is.</summary>
    public bool IsHeld { get; init; }

    public static Collected operator +(Collected a, Collected b) => new()
    {
        Reviews = a.Reviews + b.Reviews,
        Manifests = a.Manifests + b.Manifests,
        Blobs = a.Blobs + b.Blobs,
        Removals = a.Removals + b.Removals,
        FreedBytes = a.FreedBytes + b.FreedBytes,
        Failures = a.Failures + b.Failures,
        IsHeld = a.IsHeld || b.IsHeld,
    };
}
