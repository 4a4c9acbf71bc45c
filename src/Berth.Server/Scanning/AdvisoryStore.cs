using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Advisories.Shelf;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Scanning;

/// <summary>
/// The advisory database of this process: a folder that <c>berth db</c> fills. It is opened again when another one is used; a scan that has the old one open ends with it.
/// </summary>
internal sealed class AdvisoryStore(string folder, ILogger<AdvisoryStore> log) : IDisposable
{
    private readonly AdvisoryShelf _shelf = new(folder);
    private readonly Lock _gate = new();
    private OpenDatabase? _open;

    /// <summary>Borrows the database; null when there is none, or none that can be read. The borrower disposes of it.</summary>
    public AdvisoryLoan? Borrow()
    {
        lock (_gate)
        {
            try
            {
                var path = _shelf.Current;
                if (path is not null && _open?.Path != path)
                {
                    var next = new OpenDatabase(path, AdvisoryDatabase.Open(path));
                    _open?.Release();
                    _open = next;
                    log.DatabaseOpened(path, next.Database.Metadata.BuiltAt);
                }
            }
            catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
            {
                // The one that is open goes on being asked.
                log.DatabaseUnreadable(e, folder);
            }
            return _open is null ? null : new AdvisoryLoan(_open.Lend());
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _open?.Release();
            _open = null;
        }
    }
}

/// <summary>A database that several borrow; closed by the last one.</summary>
internal sealed class OpenDatabase(string path, AdvisoryDatabase database)
{
    private int _users = 1;

    public string Path => path;

    public AdvisoryDatabase Database => database;

    public OpenDatabase Lend()
    {
        Interlocked.Increment(ref _users);
        return this;
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref _users) == 0) database.Dispose();
    }
}

/// <summary>The database while somebody asks it.</summary>
internal sealed class AdvisoryLoan(OpenDatabase open) : IDisposable
{
    private OpenDatabase? _open = open;

    public AdvisoryDatabase Database => _open?.Database ?? throw new ObjectDisposedException(nameof(AdvisoryLoan));

    public void Dispose() => Interlocked.Exchange(ref _open, null)?.Release();
}

internal static partial class AdvisoryStoreLog
{
    [LoggerMessage(5500, LogLevel.Information, "advisory database opened: {Path}, built {BuiltAt}")]
    public static partial void DatabaseOpened(this ILogger log, string path, DateTimeOffset builtAt);

    [LoggerMessage(5501, LogLevel.Warning, "advisory database cannot be read in {Folder}")]
    public static partial void DatabaseUnreadable(this ILogger log, Exception exception, string folder);
}
