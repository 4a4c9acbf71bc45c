using System.Diagnostics;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Inventory;
using Berth.Scanner.Inventory.Layers;
using Berth.Scanner.Matching;
using Berth.Scanner.Scan;
using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Jobs;
using Berth.Server.Scanning.Findings;
using Berth.Server.Scanning.Sboms;

namespace Berth.Server.Scanning.Advisories;

/// <summary>
/// Brings all reports up to the advisory database of this process, without reading a layer: 1. decides whether it is the one to judge by, 2. for each database that reports are by now, finds the images
/// that the difference can touch, 3. judges those again from the inventories of their layers, each in a transaction of its own with its events, 4. marks all others as judged. Where it stands is in
/// the reports themselves, each of which says by which database it is: cut off anywhere, it goes on where it was.
/// </summary>
internal sealed class Rejudging(
    Database database, StoredImages images, LayerInventories layers, AttachedSboms attached, AdvisoryStore advisories, ScanRequests requests, DomainEvents events, ScanCounters counters, TimeProvider time)
{
    private const int MarkedAtOnce = 1000;

    // The layers that images share come again and again.
    private const int MaxRememberedLayers = 64;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>What this process's database means now.</summary>
    public async Task<(AdvisoryUse? Use, RoundDecision Decision, bool IsNeeded)> LookAsync(CancellationToken ct)
    {
        if (advisories.Use() is not { } use) return (null, RoundDecision.Behind, false);
        return await database.ReadAsync(use, static async (session, own, token) =>
        {
            var newest = await AdvisoryRounds.NewestAsync(session, token).ConfigureAwait(false);
            var decision = AdvisoryRounds.Decide(newest, own);
            var isNeeded = decision switch
            {
                RoundDecision.Behind => false,
                RoundDecision.Same => await AdvisoryRounds.HasLeftoversAsync(session, newest!, token).ConfigureAwait(false),
                _ => true,
            };
            return ((AdvisoryUse?)own, decision, isNeeded);
        }, ct).ConfigureAwait(false);
    }

    /// <summary>Does it; only one at a time in the installation.</summary>
    /// <param name="run">Told what happens.</param>
    /// <param name="judged">Called after each image; null for nobody.</param>
    /// <param name="ct">Ends it anywhere.</param>
    /// <returns>False when this process's database is not the one to judge by.</returns>
    public async Task<bool> RunAsync(IRejudgeLog run, Action? judged, CancellationToken ct)
    {
        // 1.
        var (use, decision, _) = await LookAsync(ct).ConfigureAwait(false);
        if (use is null || decision == RoundDecision.Behind) return false;
        using var loan = advisories.Borrow();
        if (loan is null || loan.Database.Metadata.BuiltAt.ToUnixTimeMilliseconds() != use.BuiltAt) return false;
        var round = await BeginAsync(use, decision, ct).ConfigureAwait(false);
        var step = new Step(round, loan.Database, new Matcher(loan.Database), new RecentMap<string, LayerInventory>(MaxRememberedLayers), run, judged);
        foreach (var basis in await database.ReadAsync(round, static (session, r, token) => AdvisoryRounds.BasesAsync(session, r, token), ct).ConfigureAwait(false))
            await FromAsync(step, basis, ct).ConfigureAwait(false);
        await FinishAsync(step, ct).ConfigureAwait(false);
        return true;
    }

    private async Task<AdvisoryRound> BeginAsync(AdvisoryUse use, RoundDecision decision, CancellationToken ct) => await database.WriteAsync(Durability.Full, async (session, token) =>
    {
        var newest = await AdvisoryRounds.NewestAsync(session, token).ConfigureAwait(false);
        if (newest is not null && newest.BuiltAt == use.BuiltAt) return newest;
        await AdvisoryRounds.BeginAsync(session, use, decision == RoundDecision.Rollback, Now, token).ConfigureAwait(false);
        return (await AdvisoryRounds.NewestAsync(session, token).ConfigureAwait(false))!;
    }, ct).ConfigureAwait(false);

    // The reports by one database.
    private async Task FromAsync(Step step, long basis, CancellationToken ct)
    {
        // 2. The images first: what is scanned by the old database after this is left over for the next time.
        var all = await database.ReadAsync(basis, static (session, at, token) => ImagesAsync(session, at, token), ct).ConfigureAwait(false);
        var started = Stopwatch.GetTimestamp();
        var affected = await AffectedAsync(basis, step.Database, all, ct).ConfigureAwait(false);
        step.Log.Log($"{affected.Count} of {all.Count} images judged by the advisories of {TimeOf(basis):O} are touched by those of {TimeOf(step.Round.BuiltAt):O}, found in {Stopwatch.GetElapsedTime(started).TotalSeconds:0.00} s");
        await database.WriteAsync(Durability.Relaxed, async (session, token) =>
        {
            await AdvisoryRounds.CountAsync(session, step.Round.Id, affected.Count, 0, 0, 0, token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        // 3.
        var done = 0;
        foreach (var id in affected)
        {
            ct.ThrowIfCancellationRequested();
            await JudgeAsync(step, id, basis, ct).ConfigureAwait(false);
            step.Log.Report(++done, affected.Count);
            step.Judged?.Invoke();
        }
        // 4.
        var touched = affected.ToHashSet();
        foreach (var batch in all.Where(id => !touched.Contains(id)).Chunk(MarkedAtOnce))
        {
            var ids = System.Text.Json.JsonSerializer.Serialize([.. batch], FindingRowJson.Default.ListInt64);
            await database.WriteAsync(Durability.Relaxed, (session, token) => session.ExecuteAsync(Mark, [ids, basis, step.Round.BuiltAt], token).AsTask(), ct).ConfigureAwait(false);
        }
    }

    private async Task<List<long>> AffectedAsync(long basis, AdvisoryDatabase newer, List<long> all, CancellationToken ct)
    {
        using var older = advisories.Open(basis);
        // Without the database that they were judged by nobody knows what differs.
        var difference = older is null ? AdvisoryDifference.Everything : await Task.Run(() => AdvisoryDifference.Between(older, newer), ct).ConfigureAwait(false);
        if (difference.IsEverything) return all;
        var found = await AffectedImages.FindAsync(database, difference, ct).ConfigureAwait(false);
        return [.. all.Where(found.Contains)];
    }

    private async Task JudgeAsync(Step step, long id, long basis, CancellationToken ct)
    {
        if (await images.FindAsync(id, ct).ConfigureAwait(false) is not { } target) return;
        if (await InventoriesAsync(step, target, ct).ConfigureAwait(false) is not var (image, inventories))
        {
            step.Log.Log($"{target.Repository}@{target.Digest} is scanned: what is in its layers is not known any more");
            await database.WriteAsync(Durability.Full, async (session, token) => await requests.AddAsync(session, id, JobTrigger.Event, null, token).ConfigureAwait(false), ct).ConfigureAwait(false);
            return;
        }
        var inventory = await attached.AsScannedAsync(target, ImageInventory.Join(inventories, BuiltInScanner.Sources), ct).ConfigureAwait(false);
        var report = ScanAssembly.Of(image, inventory, step.Matcher, BuiltInScanner.Settings, time.GetUtcNow());
        var packed = StoredReport.Pack(report);
        // Lost in a power cut, it is judged again.
        var changes = await database.WriteAsync(Durability.Relaxed, async (session, token) =>
        {
            var found = await ScanReports.ReplaceAsync(session, id, basis, report, packed, Now, step.Database.Metadata.BuiltAt, token).ConfigureAwait(false);
            if (found is null) return null;
            await AdvisoryRounds.CountAsync(session, step.Round.Id, 0, 1, found.Any ? 1 : 0, found.Added.Count, token).ConfigureAwait(false);
            if (found.Any)
                await events.RaiseAsync(session, ScanEvents.Of(target.ProjectId, ScanEvents.DetailOf(target, report, found, isFirst: false) with { IsRejudged = true }), token).ConfigureAwait(false);
            return found;
        }, ct).ConfigureAwait(false);
        if (changes is not null) counters.Rejudged(changes.Any);
    }

    private async Task<(ImageContent Image, IReadOnlyList<LayerInventory> Layers)?> InventoriesAsync(Step step, ScanTarget target, CancellationToken ct)
    {
        var diffIds = await database.ReadAsync(target.Id, static async ValueTask<string?> (session, id, token) =>
        {
            await using var row = await session.Command(SelectDiffIds, id).ExecuteReaderAsync(token).ConfigureAwait(false);
            return await row.ReadAsync(token).ConfigureAwait(false) && !row.IsDBNull(0) ? row.GetString(0) : null;
        }, ct).ConfigureAwait(false);
        if (diffIds is null || StoredImages.Known(target, diffIds.Split(' ', StringSplitOptions.RemoveEmptyEntries)) is not { } image) return null;
        var found = new List<LayerInventory>(image.Layers.Count);
        foreach (var layer in image.Layers)
        {
            if (!step.Layers.TryGet(layer.DiffId, out var inventory))
            {
                if (await layers.FindAsync(layer.DiffId, ct).ConfigureAwait(false) is not { } stored) return null;
                step.Layers.Set(layer.DiffId, inventory = stored);
            }
            found.Add(inventory);
        }
        return (image, found);
    }

    private async Task FinishAsync(Step step, CancellationToken ct)
    {
        var ended = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await AdvisoryRounds.FinishAsync(session, step.Round.Id, Now, token).ConfigureAwait(false);
            var round = (await AdvisoryRounds.NewestAsync(session, token).ConfigureAwait(false))!;
            // Only the first time, and only if there is something to tell.
            if (step.Round.FinishedAt is null && round.Changed > 0) await events.RaiseAsync(session, EventOf(round), token).ConfigureAwait(false);
            return round;
        }, ct).ConfigureAwait(false);
        step.Log.Log($"{ended.Judged} images were judged again, {ended.Changed} reports changed, {ended.NewFindings} findings are new");
    }

    private static DomainEvent EventOf(AdvisoryRound round) => new()
    {
        Operation = "update",
        ResourceType = "advisories",
        Resource = $"{TimeOf(round.BuiltAt):O}",
        Actor = EventActor.System,
        Description = $"{(round.IsRollback ? "back to the advisories" : "advisories")} of {TimeOf(round.BuiltAt):u}: {round.Affected} images touched, {round.Changed} reports changed, {round.NewFindings} new findings",
    };

    private static DateTimeOffset TimeOf(long at) => DateTimeOffset.FromUnixTimeMilliseconds(at);

    private static async ValueTask<List<long>> ImagesAsync(DbSession session, long basis, CancellationToken ct)
    {
        var found = new List<long>();
        await using var rows = await session.Command(SelectImages, basis).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) found.Add(rows.GetInt64(0));
        return found;
    }

    private sealed record Step(AdvisoryRound Round, AdvisoryDatabase Database, Matcher Matcher, RecentMap<string, LayerInventory> Layers, IRejudgeLog Log, Action? Judged);

    private static readonly Statement SelectImages = new("SELECT manifest_id FROM artifact_scans WHERE database_built_at = @0 ORDER BY manifest_id");

    private static readonly Statement SelectDiffIds = new("SELECT diff_ids FROM artifact_scans WHERE manifest_id = @0");

    private static readonly Statement Mark = new(
        "UPDATE artifact_scans SET database_built_at = @2 WHERE database_built_at = @1 AND manifest_id IN (SELECT value FROM json_each(@0))",
        "UPDATE artifact_scans SET database_built_at = @2 WHERE database_built_at = @1 AND manifest_id = ANY(ARRAY(SELECT jsonb_array_elements_text(@0::jsonb)::bigint))");
}
