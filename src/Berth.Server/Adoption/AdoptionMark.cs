using Berth.Blobs.FileSystem;
using Berth.Server.Platform.Data;

namespace Berth.Server.Adoption;

/// <summary>
/// There from before the first row of an adoption is written until after the last. While it is there the database knows blobs whose manifests it does not
/// know yet: garbage collection must not run, and the next start goes on with the adoption.
/// </summary>
internal interface IAdoptionMark
{
    /// <summary>Whether an adoption was begun and not finished.</summary>
    ValueTask<bool> IsSetAsync(CancellationToken ct);

    /// <summary>Sets the mark, durably.</summary>
    ValueTask SetAsync(CancellationToken ct);

    /// <summary>Takes the mark away.</summary>
    ValueTask ClearAsync(CancellationToken ct);
}

/// <summary>The mark of a folder: the file <c>berth/adoption-unfinished</c> below the storage root.</summary>
internal sealed class AdoptionMark(ContentPaths paths) : IAdoptionMark
{
    private readonly string _file = Path.Join(paths.Root, "berth/adoption-unfinished");

    /// <summary>Whether an adoption was begun and not finished.</summary>
    public bool IsSet => File.Exists(_file);

    /// <summary>Sets the mark, durably.</summary>
    /// <exception cref="IOException">The root cannot be written.</exception>
    public void Set()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_file)!);
        using var file = new FileStream(_file, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite);
        file.Write("an adoption was begun and is not finished: run berth adopt, or start the server, to finish it\n"u8);
        file.Flush(flushToDisk: true);
    }

    public ValueTask<bool> IsSetAsync(CancellationToken ct) => ValueTask.FromResult(IsSet);

    public ValueTask SetAsync(CancellationToken ct)
    {
        Set();
        return ValueTask.CompletedTask;
    }

    public ValueTask ClearAsync(CancellationToken ct)
    {
        File.Delete(_file);
        return ValueTask.CompletedTask;
    }
}

/// <summary>The mark of a bucket: a row in the database (<see cref="InstallationFact"/>), since nothing is written into the bucket.</summary>
internal sealed class AdoptionFact(Database database) : IAdoptionMark
{
    private const string Name = "adoption.unfinished";

    public async ValueTask<bool> IsSetAsync(CancellationToken ct) =>
        await database.ReadAsync(0, static (session, _, token) => session.ScalarAsync(Find, [Name], token), ct).ConfigureAwait(false) is not null;

    public async ValueTask SetAsync(CancellationToken ct) =>
        await database.WriteAsync(Durability.Full, static async (session, token) => await session.ExecuteAsync(Insert, [Name], token).ConfigureAwait(false), ct).ConfigureAwait(false);

    public async ValueTask ClearAsync(CancellationToken ct) =>
        await database.WriteAsync(Durability.Full, static async (session, token) => await session.ExecuteAsync(Delete, [Name], token).ConfigureAwait(false), ct).ConfigureAwait(false);

    private static readonly Statement Find = new("SELECT 1 FROM installation_facts WHERE name = @0");
    private static readonly Statement Insert = new("INSERT INTO installation_facts (name, value) VALUES (@0, 'true') ON CONFLICT (name) DO NOTHING");
    private static readonly Statement Delete = new("DELETE FROM installation_facts WHERE name = @0");
}
