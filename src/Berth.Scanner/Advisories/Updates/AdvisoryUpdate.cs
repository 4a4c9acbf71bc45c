using Berth.Client;
using Berth.Client.Content;
using Berth.Scanner.Advisories.Bundle;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Advisories.Folder;
using Berth.Scanner.Advisories.Shelf;

namespace Berth.Scanner.Advisories.Updates;

/// <summary>What is wanted of an update.</summary>
public sealed record UpdateRequest
{
    /// <summary>What the database is made of; all of it, or one bundle.</summary>
    public required IReadOnlyList<AdvisorySource> Sources { get; init; }

    /// <summary>Keys of which one must have signed a bundle.</summary>
    public IReadOnlyList<BundleKey> Keys { get; init; } = [];

    /// <summary>Takes bundles without looking at their signature.</summary>
    public bool AllowsUnsigned { get; init; }

    /// <summary>Asks the sources though none expects to be newer, and builds though they are the same.</summary>
    public bool IsForced { get; init; }

    /// <summary>Told what is done.</summary>
    public Action<string>? Tell { get; init; }

    /// <summary>Told how many of how many bytes of a file are there.</summary>
    public Action<long, long>? Progress { get; init; }
}

/// <summary>How an update ended.</summary>
/// <param name="Path">The database in use.</param>
/// <param name="IsNew">Whether it is another one than before.</param>
/// <param name="IsOfSources">Whether it is the one that was made of the sources: false where somebody has gone back, or taken over another, since.</param>
/// <param name="Metadata">What it says of itself.</param>
public sealed record UpdateResult(string Path, bool IsNew, bool IsOfSources, DatabaseMetadata Metadata);

/// <summary>
/// Brings a shelf up to date from registries: 1. nothing while the sources expect nothing newer, 2. what the sources are now, 3. nothing when that is what the database was made of,
/// 4. their files, going on with what an update that was cut off has fetched, 5. the database, which is used from then on. The one before stays for the way back; who has it open is not disturbed.
/// </summary>
/// <param name="folder">Folder of the shelf.</param>
/// <param name="client">Talks to registries.</param>
/// <param name="time">Clock.</param>
public sealed class AdvisoryUpdate(string folder, RegistryClient client, TimeProvider time)
{
    private const string StateName = "update.json";
    private const string LockName = "update.lock";
    private const string DownloadsName = "download";
    private const long MaxFileBytes = 16L * 1024 * 1024 * 1024;

    private sealed record Found(AdvisorySource Source, RegistryManifest Manifest, IReadOnlyList<(Oci.Descriptor Blob, string Name, bool IsBundle)> Files);

    private readonly AdvisoryShelf shelf = new(folder);

    private string StatePath => Path.Combine(folder, StateName);

    private string Downloads => Path.Combine(folder, DownloadsName);

    /// <summary>Updates.</summary>
    /// <exception cref="RegistryException">No mirror of a source can be read.</exception>
    /// <exception cref="InvalidDataException">What came is no database of advisories, or is not signed by a key that is trusted.</exception>
    /// <exception cref="IOException">Another process is updating, or the folder cannot be written.</exception>
    public async Task<UpdateResult> RunAsync(UpdateRequest request, CancellationToken ct)
    {
        Directory.CreateDirectory(folder);
        await using var only = Lock();
        // 1.
        var state = UpdateState.Read(StatePath);
        var current = shelf.Current;
        var isOfSources = current is not null && state.Database == Path.GetFileName(current);
        var isKnown = current is not null && !request.IsForced && state.Digests?.Keys.Order(StringComparer.Ordinal).SequenceEqual(request.Sources.Select(static s => s.ToString()).Order(StringComparer.Ordinal)) == true;
        if (isKnown && state.NextUpdate > time.GetUtcNow())
        {
            request.Tell?.Invoke($"the sources expect nothing newer before {state.NextUpdate:yyyy-MM-dd HH:mm} UTC");
            return new UpdateResult(current!, false, isOfSources, MetadataOf(current!));
        }
        // 2.
        var found = new List<Found>();
        foreach (var source in request.Sources) found.Add(await FindAsync(source, request, ct));
        var digests = found.ToDictionary(static one => one.Source.ToString(), static one => one.Manifest.Digest.Value);
        // 3. Whoever has gone back from what the sources have does not get it again by itself.
        if (isKnown && digests.All(pair => state.Digests!.GetValueOrDefault(pair.Key) == pair.Value))
        {
            (state with { CheckedAt = time.GetUtcNow() }).Write(StatePath);
            request.Tell?.Invoke(isOfSources ? "the sources are what the database was made of" : "the sources have what was replaced by the database in use: force the update to use it again");
            return new UpdateResult(current!, false, isOfSources, MetadataOf(current!));
        }
        // 4.
        var fetched = new List<(string Path, string Name, bool IsBundle)>();
        foreach (var one in found) fetched.AddRange(await FetchAsync(one, request, ct));
        // 5.
        var path = shelf.NewPath(time.GetUtcNow());
        if (fetched.Exists(static file => file.IsBundle)) await UnpackAsync(fetched, request, path, ct);
        else Build(fetched, path, request, ct);
        var metadata = shelf.Use(path);
        new UpdateState { Database = Path.GetFileName(path), Digests = digests, NextUpdate = metadata.Sources.Min(static source => source.NextUpdate), CheckedAt = time.GetUtcNow() }.Write(StatePath);
        Directory.Delete(Downloads, recursive: true);
        return new UpdateResult(path, true, true, metadata);
    }

    private FileStream Lock()
    {
        try
        {
            return new FileStream(Path.Combine(folder, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new IOException($"another process is updating {folder}", e);
        }
    }

    private async Task<Found> FindAsync(AdvisorySource source, UpdateRequest request, CancellationToken ct)
    {
        RegistryException? first = null;
        foreach (var mirror in source.Mirrors)
        {
            try
            {
                var manifest = await client.ManifestAsync(mirror, ct);
                request.Tell?.Invoke($"{mirror} is {manifest.Digest}");
                return new Found(source, manifest, AdvisoryArtifact.FilesOf(manifest));
            }
            catch (RegistryException e)
            {
                request.Tell?.Invoke(e.Message);
                first ??= e;
            }
        }
        throw first!;
    }

    // Files lie under their digests, so that a try that was cut off is gone on with; what no source names any more goes.
    private async Task<List<(string Path, string Name, bool IsBundle)>> FetchAsync(Found found, UpdateRequest request, CancellationToken ct)
    {
        Directory.CreateDirectory(Downloads);
        var files = new List<(string, string, bool)>();
        foreach (var (blob, name, isBundle) in found.Files)
        {
            if (blob.Size > MaxFileBytes) throw new InvalidDataException($"{name} of {found.Manifest.Reference} has {blob.Size} bytes, up to {MaxFileBytes} are read");
            var path = Path.Combine(Downloads, blob.Digest.Hex.ToString());
            if (!File.Exists(path) || new FileInfo(path).Length != blob.Size) await DownloadAsync(found, blob, path, request, ct);
            files.Add((path, name, isBundle));
        }
        return files;
    }

    // From the mirror that was asked, else from the others: by digest it is the same everywhere, and what one has given is not asked of the next.
    private async Task DownloadAsync(Found found, Oci.Descriptor blob, string path, UpdateRequest request, CancellationToken ct)
    {
        RegistryException? first = null;
        foreach (var mirror in found.Source.Mirrors.Prepend(found.Manifest.Reference).DistinctBy(static mirror => mirror.Name))
        {
            // Bytes of an earlier try may be of another file that broke off: then once more from the start.
            for (var isAgain = !File.Exists(path + ".part"); ; isAgain = true)
            {
                try
                {
                    await client.DownloadAsync(mirror, blob, path, there => request.Progress?.Invoke(there, blob.Size), ct);
                    return;
                }
                catch (RegistryException e)
                {
                    request.Tell?.Invoke(e.Message);
                    first ??= e;
                    if (isAgain || e.Failure != RegistryFailure.WrongContent) break;
                }
            }
        }
        throw first!;
    }

    private static async Task UnpackAsync(List<(string Path, string Name, bool IsBundle)> files, UpdateRequest request, string path, CancellationToken ct)
    {
        if (files.Count != 1) throw new InvalidDataException("a bundle is a whole database: it cannot be joined with other sources");
        if (request.Keys.Count == 0 && !request.AllowsUnsigned) throw new InvalidDataException("a bundle came, and there is no key to check who signed it");
        await using var bundle = File.OpenRead(files[0].Path);
        await AdvisoryBundle.ExtractAsync(bundle, request.Keys, path, ct);
    }

    private void Build(List<(string Path, string Name, bool IsBundle)> files, string path, UpdateRequest request, CancellationToken ct)
    {
        request.Tell?.Invoke("building the database");
        using var builder = new AdvisoryDatabaseBuilder(path);
        long records = 0;
        foreach (var file in files)
        {
            if (FolderImport.ReadFile(file.Path, file.Name, builder, ct) is not { } source) continue;
            records += source.Records;
            if (source.Skipped > 0) request.Tell?.Invoke($"{source.Name}: {source.Skipped} records cannot be read");
        }
        // A database that knows nothing would call every image clean.
        if (records == 0) throw new InvalidDataException("the sources hold no advisories that can be read; the database stays as it was");
        builder.Complete(time.GetUtcNow(), ct);
    }

    private static DatabaseMetadata MetadataOf(string path)
    {
        using var database = AdvisoryDatabase.Open(path);
        return database.Metadata;
    }
}
