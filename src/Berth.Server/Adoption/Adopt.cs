using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Projects;
using Berth.Server.Quotas;
using Berth.Server.Registry;

namespace Berth.Server.Adoption;

/// <summary>
/// Takes over the data of a Docker Registry where it lies, in a folder or a bucket. Blobs are neither copied nor moved, and nothing below <c>docker/</c> is
/// changed: only the database learns what is there.
/// 1. the mark is set, 2. blobs with their sizes are recorded, 3. each repository gets its links, its manifests (tagged or not, what is no index
/// first), its tags, and what fallback tags say of referrers, 4. one durable commit, 5. the mark is cleared.
/// It may be killed at any point and run again: what is recorded stays. The newer of Docker Registry's tag and the database's wins.
/// Content that is missing or damaged is noted and passed over.
/// </summary>
public sealed class Adopt
{
    private const int MaxRepositories = 4;
    private const int MaxBatchBytes = 2 << 20;
    private const int MaxHeldBack = 10_000;

    private readonly Database _database;
    private readonly IRegistryTree _tree;
    private readonly IAdoptionMark _mark;
    private readonly AdoptionOptions _options;
    private readonly AdoptionTally _tally;
    private readonly TimeProvider _time;
    private readonly ParallelOptions _readers;

    private Adopt(Database database, AdoptionSource source, AdoptionOptions options, TimeProvider time, IProgress<AdoptionProgress>? progress, CancellationToken ct)
    {
        (_database, _options, _time) = (database, options, time);
        (_tree, _mark) = (source.Tree, source.Mark);
        _tally = new AdoptionTally(progress);
        _readers = new ParallelOptions
        {
            MaxDegreeOfParallelism = options.MaxReaders > 0 ? options.MaxReaders : _tree.Readers,
            CancellationToken = ct,
        };
    }

    /// <summary>Adopts all there is.</summary>
    /// <param name="database">Migrated; a server may be using it.</param>
    /// <param name="source">What there is.</param>
    /// <param name="options">How.</param>
    /// <param name="time">Clock.</param>
    /// <param name="progress">Told after each transaction, one call at a time; an exception from it ends the adoption.</param>
    /// <param name="ct">Ends the adoption, which can be taken up again.</param>
    /// <exception cref="IOException">Folder or bucket cannot be read, or the mark cannot be written.</exception>
    public static Task<AdoptionReport> RunAsync(
        Database database, AdoptionSource source, AdoptionOptions options, TimeProvider time, IProgress<AdoptionProgress>? progress, CancellationToken ct) =>
        new Adopt(database, source, options, time, progress, ct).RunAsync(ct);

    private async Task<AdoptionReport> RunAsync(CancellationToken ct)
    {
        var started = _time.GetTimestamp();

        // 1.
        await _mark.SetAsync(ct).ConfigureAwait(false);

        // 2.
        await AdoptBlobsAsync(ct).ConfigureAwait(false);

        // 3. Names of repositories are all that is held in memory for as long as it takes.
        var repositories = new HashSet<(string Name, bool IsValid)>();
        await foreach (var repository in _tree.RepositoriesAsync(ct).ConfigureAwait(false)) repositories.Add(repository);
        _tally.Begin(AdoptionPhase.Repositories, repositories.Count(r => r.IsValid));
        var side = new ParallelOptions { MaxDegreeOfParallelism = MaxRepositories, CancellationToken = ct };
        await Parallel.ForEachAsync(repositories, side, async (repository, token) =>
        {
            if (!repository.IsValid) _tally.Note("repository", repository.Name, "no repository can have this name");
            else await AdoptRepositoryAsync(repository.Name, token).ConfigureAwait(false);
        }).ConfigureAwait(false);

        foreach (var project in await _database.ReadAsync(0, static (session, _, token) => AdoptionRows.ProjectsAsync(session, token), ct).ConfigureAwait(false))
        {
            await _database.WriteAsync(Durability.Relaxed, async (session, token) =>
                await ProjectUsage.RecountAsync(session, project, token).ConfigureAwait(false), ct).ConfigureAwait(false);
        }

        // 4. The commits before may still be lost with the machine; this one takes them to the disk.
        await _database.WriteAsync(Durability.Full, async (session, token) => await AdoptionRows.TouchAsync(session, token).ConfigureAwait(false), ct).ConfigureAwait(false);

        // 5.
        await _mark.ClearAsync(ct).ConfigureAwait(false);
        _tally.Begin(AdoptionPhase.Done, 0);
        return new AdoptionReport
        {
            Root = _tree.Name,
            Found = _tally.Found,
            Added = _tally.Added,
            Skipped = _tally.Skipped,
            Incomplete = _tally.Incomplete,
            Findings = _tally.Findings,
            IsVerified = _options.Verify,
            ElapsedSeconds = Math.Round(_time.GetElapsedTime(started).TotalSeconds, 3),
        };
    }

    // ---- blobs ----

    private async Task AdoptBlobsAsync(CancellationToken ct)
    {
        var batch = new List<ListedDigest>(_options.BatchSize);
        var shards = await _tree.ShardsAsync(ct).ToListAsync(ct).ConfigureAwait(false);
        _tally.Begin(AdoptionPhase.Blobs, shards.Count);
        foreach (var shard in shards)
        {
            await foreach (var blob in _tree.BlobsAsync(shard, ct).ConfigureAwait(false))
            {
                batch.Add(blob);
                if (batch.Count == _options.BatchSize) await FlushBlobsAsync(batch, ct).ConfigureAwait(false);
            }
            _tally.Step();
        }
        if (batch.Count > 0) await FlushBlobsAsync(batch, ct).ConfigureAwait(false);
    }

    private async Task FlushBlobsAsync(List<ListedDigest> batch, CancellationToken ct)
    {
        var rows = new BlobRow?[batch.Count];
        await Parallel.ForAsync(0, batch.Count, _readers, async (i, token) => rows[i] = await ReadBlobAsync(batch[i], token).ConfigureAwait(false)).ConfigureAwait(false);
        batch.Clear();
        var found = rows.OfType<BlobRow>().ToList();
        if (found.Count == 0) return;
        var differing = new List<(string Digest, long Size)>();
        var (count, bytes) = await _database.WriteAsync(Durability.Relaxed, async (session, token) =>
            await AdoptionRows.AddBlobsAsync(session, found, differing, token).ConfigureAwait(false), ct).ConfigureAwait(false);
        foreach (var (digest, size) in differing) _tally.Note("blob", digest, $"it was recorded with {size} bytes, the file has another size");
        _tally.Add(new(0, 0, 0, 0, found.Count - differing.Count, found.Sum(b => b.Size)), new(0, 0, 0, 0, count, bytes));
    }

    // Null when there is nothing to record: a folder without bytes is what a deleted blob leaves.
    private async ValueTask<BlobRow?> ReadBlobAsync(ListedDigest listed, CancellationToken ct)
    {
        if (await _tree.FindBlobAsync(listed, ct).ConfigureAwait(false) is not { } blob) return null;
        if (_options.Verify && await BlobBytes.VerifyAsync(_tree, listed.Digest, ct).ConfigureAwait(false) is { } problem)
        {
            _tally.Note("blob", listed.Digest.Value, problem);
            return null;
        }
        return new BlobRow(blob.Digest.Value, blob.Size, blob.ChangedAt);
    }

    // ---- repositories ----

    private async Task AdoptRepositoryAsync(string name, CancellationToken ct)
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        var (id, isNew) = await _database.WriteAsync(Durability.Relaxed, async (session, token) =>
        {
            var before = await Rows.FindRepositoryAsync(session, name, token).ConfigureAwait(false);
            var found = await Rows.FindOrAddRepositoryAsync(session, name, ProjectSeed.Silent, now, token).ConfigureAwait(false);
            return (found ?? throw new InvalidOperationException($"repository {name} cannot be made"), before is null);
        }, ct).ConfigureAwait(false);
        _tally.Add(new(1, 0, 0, 0, 0, 0), new(isNew ? 1 : 0, 0, 0, 0, 0, 0));
        var repository = new OneRepository(name, id);

        await foreach (var links in _tree.LayersAsync(name, ct).Chunk(_options.BatchSize).ConfigureAwait(false)) await AdoptLinksAsync(repository, links, ct).ConfigureAwait(false);

        var indexes = new List<ListedDigest>();
        await foreach (var revisions in _tree.RevisionsAsync(name, ct).Chunk(_options.BatchSize).ConfigureAwait(false)) await AdoptRevisionsAsync(repository, revisions, indexes, ct).ConfigureAwait(false);
        foreach (var revisions in indexes.Chunk(_options.BatchSize)) await AdoptRevisionsAsync(repository, revisions, null, ct).ConfigureAwait(false);

        await foreach (var tags in _tree.TagsAsync(name, ct).Chunk(_options.BatchSize).ConfigureAwait(false)) await AdoptTagsAsync(repository, tags, ct).ConfigureAwait(false);
        await _database.WriteAsync(Durability.Relaxed, async (session, token) =>
        {
            await AdoptionRows.AddIndexSizesAsync(session, id, token).ConfigureAwait(false);
            await ListedManifests.RefreshAllAsync(session, id, token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        _tally.Step();
    }

    private async Task AdoptLinksAsync(OneRepository repository, ListedDigest[] batch, CancellationToken ct)
    {
        var rows = new LinkRow?[batch.Length];
        await Parallel.ForAsync(0, batch.Length, _readers, async (i, token) =>
        {
            // No link file: the blob was deleted from the repository.
            if (await _tree.ReadLayerAsync(repository.Name, batch[i], token).ConfigureAwait(false) is not { } link) return;
            var digest = batch[i].Digest;
            if (link.Target == digest) rows[i] = new LinkRow(digest.Value, link.ChangedAt);
            else _tally.Note("link", $"{repository.Name}@{digest}", link.Target.IsDefault ? "its link file is empty or damaged" : $"its link file names {link.Target}");
        }).ConfigureAwait(false);
        var links = rows.OfType<LinkRow>().ToList();
        if (links.Count == 0) return;
        var (added, dangling) = await _database.WriteAsync(Durability.Relaxed, async (session, token) =>
            await AdoptionRows.AddLinksAsync(session, repository.Id, links, token).ConfigureAwait(false), ct).ConfigureAwait(false);
        foreach (var digest in dangling) _tally.Note("link", $"{repository.Name}@{digest}", "the blob's bytes are missing or damaged");
        _tally.Add(new(0, 0, 0, links.Count - dangling.Count, 0, 0), new(0, 0, 0, added, 0, 0));
    }

    // As many manifests at a time as a transaction takes, by number and by bytes.
    private async Task AdoptRevisionsAsync(OneRepository repository, ListedDigest[] revisions, List<ListedDigest>? indexes, CancellationToken ct)
    {
        var digests = Array.ConvertAll(revisions, r => r.Digest.Value);
        var sizes = await _database.ReadAsync(digests, static (session, names, token) => AdoptionRows.SizesAsync(session, names, token), ct).ConfigureAwait(false);
        var (batch, bytes) = (new List<ListedDigest>(), 0L);
        foreach (var revision in revisions)
        {
            var size = Math.Min(sizes.GetValueOrDefault(revision.Digest.Value), _options.MaxManifestBytes);
            if (batch.Count > 0 && bytes + size > MaxBatchBytes)
            {
                await AdoptManifestsAsync(repository, batch, indexes, ct).ConfigureAwait(false);
                (batch, bytes) = ([], 0);
            }
            batch.Add(revision);
            bytes += size;
        }
        if (batch.Count > 0) await AdoptManifestsAsync(repository, batch, indexes, ct).ConfigureAwait(false);
    }

    /// <param name="repository">Where they are.</param>
    /// <param name="batch">Digests that the repository has or had.</param>
    /// <param name="indexes">Takes what is to be recorded after all else; null to record everything.</param>
    /// <param name="ct">Ends the adoption.</param>
    private async Task AdoptManifestsAsync(OneRepository repository, List<ListedDigest> batch, List<ListedDigest>? indexes, CancellationToken ct)
    {
        // What an adoption that was cut off has recorded need not be fetched again.
        var known = _options.Verify ? [] : await _database.ReadAsync(
            (repository.Id, batch), static (session, b, token) => AdoptionRows.ContentsAsync(session, b.Id, b.batch.Select(r => r.Digest.Value), token), ct).ConfigureAwait(false);
        var files = new ManifestFile?[batch.Count];
        await Parallel.ForAsync(0, batch.Count, _readers, async (i, token) =>
        {
            (files[i], var problem) = await ManifestFile.ReadAsync(
                _tree, repository.Name, batch[i], known.GetValueOrDefault(batch[i].Digest.Value), _options.MaxManifestBytes, token).ConfigureAwait(false);
            if (problem.Length > 0) _tally.Note("manifest", $"{repository.Name}@{batch[i].Digest}", problem);
        }).ConfigureAwait(false);
        var manifests = new List<ManifestFile>(files.Length);
        for (var i = 0; i < files.Length; i++)
        {
            if (files[i] is not { } file) continue;
            // Children first. Where there are very many indexes, tags alone, which come last, keep the order that matters.
            if (file.Document.Manifests.Count > 0 && indexes is { Count: < MaxHeldBack }) indexes.Add(batch[i]);
            else manifests.Add(file);
        }
        if (manifests.Count == 0) return;
        var rows = ManifestRows.Of(manifests);
        var (added, broken) = await _database.WriteAsync(Durability.Relaxed, async (session, token) =>
        {
            await Rows.LockRepositoryAsync(session, repository.Id, token).ConfigureAwait(false);
            var count = await AdoptionRows.AddManifestsAsync(session, repository.Id, rows, token).ConfigureAwait(false);
            return (count, await AdoptionRows.FindBrokenAsync(session, repository.Id, rows, token).ConfigureAwait(false));
        }, ct).ConfigureAwait(false);
        foreach (var parts in broken.GroupBy(b => b.Manifest)) NoteBroken(repository, parts.Key, parts.ToList());
        _tally.Add(new(0, 0, manifests.Count, 0, 0, 0), new(0, 0, added, 0, 0, 0));
    }

    private void NoteBroken(OneRepository repository, string manifest, List<BrokenReference> parts)
    {
        const int mostNamed = 5;
        var texts = parts.Take(mostNamed).Select(p =>
            p.Actual is null ? $"{p.Blob} is missing" : !p.IsLinked ? $"{p.Blob} is not linked to the repository" : $"{p.Blob} has {p.Actual} bytes instead of {p.Expected}");
        var more = parts.Count > mostNamed ? $", and {parts.Count - mostNamed} more" : "";
        _tally.Note("manifest", $"{repository.Name}@{manifest}", string.Join(", ", texts) + more, isAdopted: true);
    }

    // ---- tags ----

    private async Task AdoptTagsAsync(OneRepository repository, (string Name, long ChangedAt)[] names, CancellationToken ct)
    {
        var rows = new TagRow?[names.Length];
        await Parallel.ForAsync(0, names.Length, _readers, async (i, token) =>
        {
            var (problem, name) = ("", names[i].Name);
            if (!TagName.IsValid(name)) problem = "no tag can have this name";
            else if (await _tree.ReadTagAsync(repository.Name, names[i], token).ConfigureAwait(false) is { } link)
            {
                if (link.Target.IsDefault) problem = "its link file is empty or damaged";
                else rows[i] = new TagRow(name, link.Target.Value, link.ChangedAt);
            }
            if (problem.Length > 0) _tally.Note("tag", $"{repository.Name}:{name}", problem);
        }).ConfigureAwait(false);
        var tags = rows.OfType<TagRow>().ToList();
        if (tags.Count == 0) return;
        var states = new Dictionary<string, TagState>();
        var moved = await _database.WriteAsync(Durability.Relaxed, async (session, token) =>
        {
            await Rows.LockRepositoryAsync(session, repository.Id, token).ConfigureAwait(false);
            states = await AdoptionRows.FindTagsAsync(session, repository.Id, tags, token).ConfigureAwait(false);
            var moves = tags.Where(tag => IsNews(tag, states[tag.Name]))
                .Select(tag => new TagMove(tag.Name, states[tag.Name].TargetId!.Value, tag.Digest, states[tag.Name].Digest, tag.At)).ToList();
            await AdoptionRows.SetTagsAsync(session, repository.Id, moves, token).ConfigureAwait(false);
            foreach (var tag in tags) await AdoptReferrersAsync(session, repository, tag, states[tag.Name], token).ConfigureAwait(false);
            return moves.Count;
        }, ct).ConfigureAwait(false);
        var dangling = tags.FindAll(tag => states[tag.Name].TargetId is null);
        foreach (var tag in dangling) _tally.Note("tag", $"{repository.Name}:{tag.Name}", $"the manifest {tag.Digest} that it points to was not adopted");
        _tally.Add(new(0, tags.Count - dangling.Count, 0, 0, 0, 0), new(0, moved, 0, 0, 0, 0));
    }

    // What was pushed to Berth, or deleted there, after Docker Registry wrote its tag stays so.
    private static bool IsNews(TagRow tag, TagState state)
    {
        if (state.TargetId is null || state.Digest == tag.Digest) return false;
        return tag.At > (state.Digest is null ? state.DeletedAt : state.UpdatedAt);
    }

    // OCI distribution spec, "Referrers Tag Schema".
    private static async ValueTask AdoptReferrersAsync(DbSession session, OneRepository repository, TagRow tag, TagState state, CancellationToken ct)
    {
        if (state.TargetId is not { } index || ManifestCommit.SubjectOfFallbackTag(tag.Name) is not { IsDefault: false } subject) return;
        if (await AdoptionRows.FindManifestAsync(session, index, ct).ConfigureAwait(false) is not { } manifest) return;
        if (ManifestReader.TryRead(manifest.Content, manifest.MediaType, out var document, out _) && document.IsIndex)
            await ManifestCommit.AdoptReferrersAsync(session, repository.Id, subject, document, ct).ConfigureAwait(false);
    }

    private sealed record OneRepository(string Name, long Id);
}
