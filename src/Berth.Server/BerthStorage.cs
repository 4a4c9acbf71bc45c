using Berth.Server.Adoption;
using Berth.Server.Backup;
using Berth.Server.GarbageCollection;
using Berth.Server.Integrity;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;

namespace Berth.Server;

/// <summary>
/// Database and blob store of a configuration, opened without a server: for the commands that work on them while it is stopped, and beside it.
/// </summary>
public sealed class BerthStorage : IAsyncDisposable
{
    private const string StorePrefix = "store:";

    private readonly BerthOptions _options;
    private readonly TimeProvider _time;
    private readonly Database _database;

    private BerthStorage(BerthOptions options, Database database, TimeProvider time)
    {
        _options = options;
        _database = database;
        _time = time;
    }

    /// <summary>Folder that <c>docker/</c> lies in.</summary>
    public static string RootOf(BerthOptions options) => StoreSetup.RootOf(options.Storage, options.DataFolder);

    /// <summary>File of the embedded database.</summary>
    public static string FileOf(BerthOptions options) => options.Database.File ?? Path.Join(options.DataFolder, "berth.db");

    /// <summary>Opens the database that the settings name.</summary>
    public static Database OpenDatabase(BerthOptions options) => options.Database.Kind switch
    {
        DatabaseKind.Postgres => PostgresDatabase.Open(options.Database.ConnectionString ?? "", options.Database.MaxReaders, options.Database.OutageReads, options.Database.KnownMigrations),
        _ => SqliteDatabase.Open(FileOf(options), options.Database.MaxReaders, options.Database.KnownMigrations),
    };

    /// <summary>Opens and migrates the database, and makes the data folder if it is not there.</summary>
    /// <exception cref="IOException">The folder cannot be made.</exception>
    /// <exception cref="System.Data.Common.DbException">The database does not open.</exception>
    public static async Task<BerthStorage> OpenAsync(BerthOptions options, TimeProvider time, CancellationToken ct)
    {
        Directory.CreateDirectory(options.DataFolder);
        var database = OpenDatabase(options);
        try
        {
            await database.MigrateAsync(ct).ConfigureAwait(false);
            return new BerthStorage(options, database, time);
        }
        catch
        {
            await database.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Takes over what a Docker Registry left in the default store (<see cref="Adopt"/>).</summary>
    /// <exception cref="DirectoryNotFoundException">There is nothing of a Docker Registry in it.</exception>
    public async Task<AdoptionReport> AdoptAsync(bool verify, IProgress<AdoptionProgress>? progress, CancellationToken ct)
    {
        using var source = AdoptionSourceOf(_options, _database, _time, verify);
        if (!await source.HasContentAsync(ct).ConfigureAwait(false))
            throw new DirectoryNotFoundException($"there is no Docker Registry to adopt: {source.Name.TrimEnd('/')}/docker/registry/v2/repositories does not exist or is empty");
        return await Adopt.RunAsync(_database, source, AdoptionOptionsOf(_options) with { Verify = verify }, _time, progress, ct).ConfigureAwait(false);
    }

    /// <summary>What a Docker Registry may have left in the default store.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="database">Keeps the mark of an adoption from a bucket.</param>
    /// <param name="time">Clock.</param>
    /// <param name="readsLinks">Read every link of a bucket, also where the list says all of it.</param>
    public static AdoptionSource AdoptionSourceOf(BerthOptions options, Database database, TimeProvider time, bool readsLinks) =>
        StoreSetup.OpenRegistry(options.Storage, time) is { } objects
            ? AdoptionSource.InBucket(objects, StoreSetup.BucketOf(options.Storage)!, database, options.DataFolder, readsLinks)
            : AdoptionSource.InFolder(RootOf(options));

    /// <summary>How the settings want it adopted.</summary>
    public static AdoptionOptions AdoptionOptionsOf(BerthOptions options) => new() { MaxManifestBytes = options.Registry.MaxManifestBytes };

    /// <summary>Removes what nothing refers to any more (<see cref="OfflineCollection"/>).</summary>
    /// <param name="options">How; its grace counts only when <paramref name="grace"/> is given.</param>
    /// <param name="grace">
    /// What is younger is kept. Null: an hour where a server may be running, which is when one holds the lock of the data folder, or when the
    /// database is PostgreSQL, where other replicas cannot be seen; else nothing.
    /// </param>
    /// <param name="output">Gets one line for each thing.</param>
    /// <param name="ct">Ends the collection between two transactions.</param>
    /// <exception cref="CollectionRefusedException">An adoption is not finished.</exception>
    public async Task<CollectionReport> CollectAsync(CollectionOptions options, TimeSpan? grace, TextWriter output, CancellationToken ct)
    {
        var mayBeServed = _database.Kind == DatabaseKind.Postgres || DataFolderLock.IsHeld(_options.DataFolder);
        if (await IsAdoptingAsync(ct).ConfigureAwait(false))
            throw new CollectionRefusedException("an adoption was begun and is not finished: run berth adopt, or start the server, then collect");
        using var stores = OpenStores();
        var all = options with { Grace = grace ?? (mayBeServed ? CollectionOptions.GraceBesideServer : TimeSpan.Zero) };
        return await OfflineCollection.RunAsync(_database, stores, RootOf(_options), all, output, _time, ct).ConfigureAwait(false);
    }

    /// <summary>Compares database and stores both ways, beside whoever works on them (<see cref="Fsck"/>).</summary>
    /// <param name="options">What to do about what is found.</param>
    /// <param name="tell">Gets a line for each finding.</param>
    /// <param name="ct">Ends it; what was done stays.</param>
    /// <exception cref="IOException">A store is out of order, or an adoption is not finished.</exception>
    public async Task<FsckReport> CheckAsync(FsckOptions options, Action<string> tell, CancellationToken ct)
    {
        if (options.Repair || options.Rebuild)
        {
            // Before it has read all manifests, most of the objects seem to be nobody's.
            if (await IsAdoptingAsync(ct).ConfigureAwait(false)) throw new IOException("an adoption was begun and is not finished: run berth adopt, or start the server, then compare");
        }
        using var stores = OpenStores();
        return await new Fsck(_database, stores, options, tell, _time).RunAsync(ct).ConfigureAwait(false);
    }

    /// <summary>Makes a backup beside whoever works on database and stores (<see cref="BackupRun"/>).</summary>
    /// <param name="to">A folder, or <c>store:NAME</c>.</param>
    /// <param name="passphrase">Seals the secret key; null leaves it out.</param>
    /// <param name="tell">Told of each step.</param>
    /// <param name="ct">Ends it; the target stays usable.</param>
    public async Task<BackupReport> BackUpAsync(string to, string? passphrase, Action<string> tell, CancellationToken ct)
    {
        using var stores = OpenStores();
        using var scratch = new ScratchFolder(_options.DataFolder);
        var key = new RestoreKey(_options.Access, _options.DataFolder).Copy(passphrase);
        using var target = TargetOf(to, stores);
        return await new BackupRun(_database, stores, target, _time).RunAsync(key, scratch.Path, tell, ct).ConfigureAwait(false);
    }

    /// <summary>Restores a backup into database and default store, while no server runs (<see cref="RestoreRun"/>).</summary>
    /// <exception cref="RestoreRefusedException">Something is in the way.</exception>
    /// <exception cref="InvalidDataException">The backup is damaged.</exception>
    public async Task<RestoreReport> RestoreAsync(string from, RestoreOptions options, Action<string> tell, CancellationToken ct)
    {
        if (_options.Database.Kind == DatabaseKind.Sqlite && DataFolderLock.IsHeld(_options.DataFolder)) throw new RestoreRefusedException("a server runs on the data folder: stop it first");
        using var stores = OpenStores();
        using var scratch = new ScratchFolder(_options.DataFolder);
        using var target = TargetOf(from, stores);
        return await new RestoreRun(_database, stores, target, new RestoreKey(_options.Access, _options.DataFolder)).RunAsync(options, scratch.Path, tell, ct).ConfigureAwait(false);
    }

    /// <summary>Names of the backups that are whole, the oldest first.</summary>
    public async Task<IReadOnlyList<string>> ListBackupsAsync(string where, CancellationToken ct)
    {
        using var stores = OpenStores();
        using var target = TargetOf(where, stores);
        return await target.ListAsync(ct).ConfigureAwait(false);
    }

    private async Task<bool> IsAdoptingAsync(CancellationToken ct)
    {
        using var source = AdoptionSourceOf(_options, _database, _time, readsLinks: false);
        return await source.IsUnfinishedAsync(ct).ConfigureAwait(false);
    }

    private BlobStores OpenStores() => StoreSetup.Open(_options.Storage, _options.DataFolder, _database, _time, static (_, store) => store);

    private BackupTarget TargetOf(string text, BlobStores stores)
    {
        if (!text.StartsWith(StorePrefix, StringComparison.Ordinal)) return BackupTarget.InFolder(text, _time);
        var name = text[StorePrefix.Length..];
        if (!stores.Has(name)) throw new RestoreRefusedException($"the settings have no store {name}: there are {string.Join(", ", stores.Names)}");
        if (name == stores.Default) throw new RestoreRefusedException($"the store {name} holds the registry itself: name another one, or a folder");
        return BackupTarget.In(StoreSetup.OpenForBackups(_options.Storage, name, _time));
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();
}
