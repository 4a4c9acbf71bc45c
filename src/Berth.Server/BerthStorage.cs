using Berth.Blobs.FileSystem;
using Berth.Server.Adoption;
using Berth.Server.GarbageCollection;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;

namespace Berth.Server;

/// <summary>
/// Database and blob store of a configuration, opened without a server: for the commands that work on them while it is stopped, and beside it.
/// </summary>
public sealed class BerthStorage : IAsyncDisposable
{
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

    /// <summary>Opens the database that the settings name.</summary>
    public static Database OpenDatabase(BerthOptions options) => options.Database.Kind switch
    {
        DatabaseKind.Postgres => PostgresDatabase.Open(options.Database.ConnectionString ?? "", options.Database.MaxReaders, options.Database.OutageReads, options.Database.KnownMigrations),
        _ => SqliteDatabase.Open(options.Database.File ?? Path.Join(options.DataFolder, "berth.db"), options.Database.MaxReaders, options.Database.KnownMigrations),
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

    /// <summary>Takes over what a Docker Registry left in the storage root (<see cref="Adopt"/>).</summary>
    /// <exception cref="DirectoryNotFoundException">The root is not there, or there is nothing of a Docker Registry in it.</exception>
    public Task<AdoptionReport> AdoptAsync(bool verify, IProgress<AdoptionProgress>? progress, CancellationToken ct)
    {
        var paths = new ContentPaths(RootOf(_options));
        if (!Directory.Exists(paths.Repositories)) throw new DirectoryNotFoundException($"there is no Docker Registry to adopt: {paths.Repositories} does not exist");
        return Adopt.RunAsync(_database, paths.Root, AdoptionOptionsOf(_options) with { Verify = verify }, _time, progress, ct);
    }

    /// <summary>How the settings want a folder adopted.</summary>
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
        using var stores = StoreSetup.Open(_options.Storage, _options.DataFolder, _time, static (_, store) => store);
        var all = options with { Grace = grace ?? (mayBeServed ? CollectionOptions.GraceBesideServer : TimeSpan.Zero) };
        return await OfflineCollection.RunAsync(_database, stores, RootOf(_options), all, output, _time, ct).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();
}
