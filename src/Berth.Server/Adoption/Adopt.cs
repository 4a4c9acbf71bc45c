using Berth.Blobs.FileSystem;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Projects;
using Berth.Server.Quotas;
using Berth.Server.Registry;

namespace Berth.Server.Adoption;

/// <summary>
/// Takes over the data folder of a Docker Registry where it lies. Blobs are neither copied nor moved, and nothing below <c>docker/</c> is
/// changed: only the database learns what is there.
/// 1. the mark is set, 2. blobs with their sizes are recorded, 3. each repository gets its links, its manifests (tagged or not, what is no index
/// first), its tags, and what fallback tags say of referrers, 4. one durable commit, 5. the mark is cleared.
/// It may be killed at any point and run again: what is recorded stays. The newer of the folder's tag and the database's wins.
/// Content that is missing or damaged is noted and passed over.
/// </summary>
public sealed class Adopt
{
    private const int MaxRepositories = 4;
    private const int MaxBatchBytes = 2 << 20;
    private const int MaxHeldBack = 10_000;

    private readonly Database _database;
    private readonly ContentPaths _paths;
    private readonly RegistryFolder _folder;
    private readonly AdoptionOptions _options;
    private readonly AdoptionTally _tally;
    private readonly TimeProvider _time;
    private readonly ParallelOptions _readers;

    private Adopt(Database database, string root, AdoptionOptions options, TimeProvider time, IProgress<AdoptionProgress>? progress, CancellationToken ct)
    {
        (_database, _options, _time) = (database, options, time);
        _paths = new ContentPaths(root);
        _folder = new RegistryFolder(_paths);
        _tally = new AdoptionTally(progress);
        _readers = new ParallelOptions
        {
            MaxDegreeOfParallelism = options.MaxReaders > 0 ? options.MaxReaders : Environment.ProcessorCount * 4,
            CancellationToken = ct,
        };
    }

    /// <summary>Adopts all there is.</summary>
    /// <param name="database">Migrated; a server may be using it.</param>
    /// <param name="root">Storage root: the folder that <c>docker/</c> lies in (Docker Registry's <c>rootdirectory</c>).</param>
    /// <param name="options">How.</param>
    /// <param name="time">Clock.</param>
    /// <param name="progress">Told after each transaction, one call at a time; an exception from it ends the adoption.</param>
    /// <param name="ct">Ends the adoption, which can be taken up again.</param>
    /// <exception cref="IOException">The folder cannot be read, or the mark cannot be written.</exception>
    public static Task<AdoptionReport> RunAsync(
        Database database, string root, AdoptionOptions options, TimeProvider time, IProgress<AdoptionProgress>? progress, CancellationToken ct) =>
        new Adopt(database, root, options, time, progress, ct).RunAsync(ct);

    private async Task<AdoptionReport> RunAsync(CancellationToken ct)
    {
        var started = _time.GetTimestamp();

        // 1.
        var mark = new AdoptionMark(_paths);
        mark.Set();

        // 2.
        await AdoptBlobsAsync(ct).ConfigureAwait(false);

        // 3.
        _tally.Begin(AdoptionPhase.Repositories, _folder.Repositories().Count(r => r.IsValid));
        var side = new ParallelOptions { MaxDegreeOfParallelism = MaxRepositories, CancellationToken = ct };
        await Parallel.ForEachAsync(_folder.Repositories(), side, async (repository, token) =>
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
        mark.Clear();
        _tally.Begin(AdoptionPhase.Done, 0);
        return new AdoptionReport
        {
            Root = _paths.Root,
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
        var batch = new List<Digest>(_options.BatchSize);
        _tally.Begin(AdoptionPhase.Blobs, _folder.Shards().Count());
        foreach (var (algorithm, path) in _folder.Shards())
        {
            foreach (var digest in RegistryFolder.Blobs(algorithm, path))
            {
                batch.Add(digest);
                if (batch.Count == _options.BatchSize) await FlushBlobsAsync(batch, ct).ConfigureAwait(false);
            }
            _tally.Step();
        }
        if (batch.Count > 0) await FlushBlobsAsync(batch, ct).ConfigureAwait(false);
    }

    private async Task FlushBlobsAsync(List<Digest> batch, CancellationToken ct)
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
    private async ValueTask<BlobRow?> ReadBlobAsync(Digest digest, CancellationToken ct)
    {
        if (_folder.FindBlob(digest) is not { } file) return null;
        if (_options.Verify && await ManifestFile.VerifyBlobAsync(_folder, digest, ct).ConfigureAwait(false) is { } problem)
        {
            _tally.Note("blob", digest.Value, problem);
            return null;
        }
        return new BlobRow(digest.Value, file.Size, file.ChangedAt);
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

        foreach (var links in _folder.Layers(name).Chunk(_options.BatchSize)) await AdoptLinksAsync(repository, links, ct).ConfigureAwait(false);

        var indexes = new List<Digest>();
        foreach (var batch in Batches(_folder.Revisions(name))) await AdoptManifestsAsync(repository, batch, indexes, ct).ConfigureAwait(false);
        foreach (var batch in Batches(indexes)) await AdoptManifestsAsync(repository, batch, null, ct).ConfigureAwait(false);

        foreach (var tags in _folder.Tags(name).Chunk(_options.BatchSize)) await AdoptTagsAsync(repository, tags, ct).ConfigureAwait(false);
        await _database.WriteAsync(Durability.Relaxed, async (session, token) =>
        {
            await AdoptionRows.AddIndexSizesAsync(session, id, token).ConfigureAwait(false);
            await ListedManifests.RefreshAllAsync(session, id, token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        _tally.Step();
    }

    private async Task AdoptLinksAsync(OneRepository repository, Digest[] batch, CancellationToken ct)
    {
        var rows = new LinkRow?[batch.Length];
        Parallel.For(0, batch.Length, _readers, i =>
        {
            // No link file: the blob was deleted from the repository.
            if (_folder.ReadLayer(repository.Name, batch[i]) is not { } link) return;
            if (link.Target == batch[i]) rows[i] = new LinkRow(batch[i].Value, link.ChangedAt);
            else _tally.Note("link", $"{repository.Name}@{batch[i]}", link.Target.IsDefault ? "its link file is empty or damaged" : $"its link file names {link.Target}");
        });
        var links = rows.OfType<LinkRow>().ToList();
        if (links.Count == 0) return;
        var (added, dangling) = await _database.WriteAsync(Durability.Relaxed, async (session, token) =>
            await AdoptionRows.AddLinksAsync(session, repository.Id, links, token).ConfigureAwait(false), ct).ConfigureAwait(false);
        foreach (var digest in dangling) _tally.Note("link", $"{repository.Name}@{digest}", "the blob's bytes are missing or damaged");
        _tally.Add(new(0, 0, 0, links.Count - dangling.Count, 0, 0), new(0, 0, 0, added, 0, 0));
    }

    // As many manifests at a time as a transaction takes, by number and by bytes.
    private IEnumerable<List<Digest>> Batches(IEnumerable<Digest> digests)
    {
        var (batch, bytes) = (new List<Digest>(), 0L);
        foreach (var digest in digests)
        {
            var size = _folder.FindBlob(digest)?.Size ?? 0;
            if (batch.Count == _options.BatchSize || (batch.Count > 0 && bytes + size > MaxBatchBytes))
            {
                yield return batch;
                (batch, bytes) = ([], 0);
            }
            batch.Add(digest);
            bytes += Math.Min(size, _options.MaxManifestBytes);
        }
        if (batch.Count > 0) yield return batch;
    }

    /// <param name="repository">Where they are.</param>
    /// <param name="batch">Digests that the repository has or had.</param>
    /// <param name="indexes">Takes what is to be recorded after all else; null to record everything.</param>
    /// <param name="ct">Ends the adoption.</param>
    private async Task AdoptManifestsAsync(OneRepository repository, List<Digest> batch, List<Digest>? indexes, CancellationToken ct)
    {
        var files = new ManifestFile?[batch.Count];
        Parallel.For(0, batch.Count, _readers, i =>
        {
            files[i] = ManifestFile.Read(_folder, repository.Name, batch[i], _options.MaxManifestBytes, out var problem);
            if (problem.Length > 0) _tally.Note("manifest", $"{repository.Name}@{batch[i]}", problem);
        });
        var manifests = new List<ManifestFile>(files.Length);
        foreach (var file in files.OfType<ManifestFile>())
        {
            // Children first. Where there are very many indexes, tags alone, which come last, keep the order that matters.
            if (file.Document.Manifests.Count > 0 && indexes is { Count: < MaxHeldBack }) indexes.Add(file.Digest);
            else manifests.Add(file);
        }
        if (manifests.Count == 0) return;
        var rows = ManifestRows.Of(manifests);
        var (added, broken) = await _database.WriteAsync(Durability.Relaxed, async (session, token) =>
        {
            await AdoptionRows.LockRepositoryAsync(session, repository.Id, token).ConfigureAwait(false);
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

    private async Task AdoptTagsAsync(OneRepository repository, string[] names, CancellationToken ct)
    {
        var rows = new TagRow?[names.Length];
        Parallel.For(0, names.Length, _readers, i =>
        {
            var problem = "";
            if (!TagName.IsValid(names[i])) problem = "no tag can have this name";
            else if (_folder.ReadTag(repository.Name, names[i]) is { } link)
            {
                if (link.Target.IsDefault) problem = "its link file is empty or damaged";
                else rows[i] = new TagRow(names[i], link.Target.Value, link.ChangedAt);
            }
            if (problem.Length > 0) _tally.Note("tag", $"{repository.Name}:{names[i]}", problem);
        });
        var tags = rows.OfType<TagRow>().ToList();
        if (tags.Count == 0) return;
        var states = new Dictionary<string, TagState>();
        var moved = await _database.WriteAsync(Durability.Relaxed, async (session, token) =>
        {
            await AdoptionRows.LockRepositoryAsync(session, repository.Id, token).ConfigureAwait(false);
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
