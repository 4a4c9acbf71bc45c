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

    /// <summary>The database that was built at a time, whether it is in use or kept for the way back; null when this process does not have it. The caller disposes of it.</summary>
    /// <param name="builtAt">Unix milliseconds.</param>
    public AdvisoryDatabase? Open(long builtAt) => OpenAny(database => database.Metadata.BuiltAt.ToUnixTimeMilliseconds() == builtAt);

    /// <summary>Which database this process uses, since when, and which ones came to it later; null when there is none.</summary>
    public AdvisoryUse? Use()
    {
        using var loan = Borrow();
        if (loan is null || _shelf.UsedAt is not { } usedAt) return null;
        var later = new List<long>();
        foreach (var path in _shelf.All.Where(path => string.CompareOrdinal(path, loan.Path) > 0))
        {
            if (TryOpen(path) is not { } database) continue;
            using (database) later.Add(database.Metadata.BuiltAt.ToUnixTimeMilliseconds());
        }
        return new AdvisoryUse(loan.Database.Metadata.BuiltAt.ToUnixTimeMilliseconds(), usedAt.ToUnixTimeMilliseconds(), later);
    }

    private AdvisoryDatabase? OpenAny(Func<AdvisoryDatabase, bool> fits)
    {
        foreach (var path in _shelf.All)
        {
            if (TryOpen(path) is not { } database) continue;
            if (fits(database)) return database;
            database.Dispose();
        }
        return null;
    }

    // It may be gone or damaged: then it is as if it were not there.
    private AdvisoryDatabase? TryOpen(string path)
    {
        try
        {
            return AdvisoryDatabase.Open(path);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            log.DatabaseUnreadable(e, path);
            return null;
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

/// <summary>The use of a database by a process.</summary>
/// <param name="BuiltAt">When it was built, Unix milliseconds.</param>
/// <param name="UsedAt">Since when it is used, Unix milliseconds.</param>
/// <param name="Later">When the databases were built that came to this process after it: somebody went back from them.</param>
internal sealed record AdvisoryUse(long BuiltAt, long UsedAt, IReadOnlyList<long> Later);

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

    /// <summary>Its file.</summary>
    public string Path => _open?.Path ?? throw new ObjectDisposedException(nameof(AdvisoryLoan));

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
