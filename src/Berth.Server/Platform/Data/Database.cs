using System.Collections.Concurrent;
using System.Data.Common;

namespace Berth.Server.Platform.Data;

/// <summary>How much of a promise a committed write is.</summary>
public enum Durability
{
    /// <summary>Survives a power cut: for everything that a client is told is done.</summary>
    Full,

    /// <summary>
    /// Survives the end of the process, may be lost with the machine: for upload sessions, whose bytes are promised only by the commit of the blob.
    /// </summary>
    Relaxed,
}

/// <summary>
/// The metadata database. Reads run side by side on pooled sessions; a write is one transaction given as a function.
/// Two implementations: <see cref="SqliteDatabase"/> and <see cref="PostgresDatabase"/>.
/// </summary>
public abstract class Database : IAsyncDisposable
{
    private readonly ConcurrentStack<DbSession> _idle = new();
    private readonly SemaphoreSlim _readers;

    private protected Database(int maxReaders, TimeSpan outageReads = default)
    {
        _readers = new SemaphoreSlim(maxReaders, maxReaders);
        Announcements = new Announcements(new DatabaseOutage(outageReads, TimeProvider.System));
    }

    /// <summary>Which database this is.</summary>
    public abstract DatabaseKind Kind { get; }

    /// <summary>How processes hear of each other's changes.</summary>
    public Announcements Announcements { get; }

    /// <summary>Whether it can be reached.</summary>
    public DatabaseOutage Outage => Announcements.Outage;

    /// <summary>Measures reads and writes, if somebody listens.</summary>
    public DatabaseTimings Timings { get; } = new();

    /// <summary>The migrations that this version knows; tests play an earlier version with fewer.</summary>
    internal IReadOnlyList<string> KnownMigrations { get; init; } = SchemaVersion.Migrations;

    /// <summary>
    /// Brings the schema up to date. Processes that start together take turns; what the first has done the others find done. A newer database is taken as it is
    /// where this version may go on with it, and refused else.
    /// </summary>
    /// <exception cref="DatabaseIsNewerException">A newer Berth has left this version behind.</exception>
    public async Task MigrateAsync(CancellationToken ct)
    {
        var isUpToDate = await ReadAsync(KnownMigrations, static async (session, known, token) =>
            await SchemaVersion.IsUpToDateAsync(session, known, token).ConfigureAwait(false), ct).ConfigureAwait(false);
        if (!isUpToDate) await MigrateInTurnAsync(ct).ConfigureAwait(false);
    }

    /// <summary>Throws when this version may not work on the database any more: another process has migrated it since this one started.</summary>
    /// <exception cref="DatabaseIsNewerException">So it is.</exception>
    internal async Task ThrowIfLeftBehindAsync(CancellationToken ct) =>
        await ReadAsync(KnownMigrations, static async (session, known, token) =>
        {
            await SchemaVersion.ThrowIfLeftBehindAsync(session, known, unknown: null, token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);

    private protected abstract Task MigrateInTurnAsync(CancellationToken ct);

    /// <summary>
    /// Runs a query. On SQLite it completes without leaving the thread. A broken idle connection is replaced once.
    /// </summary>
    public async ValueTask<TResult> ReadAsync<TState, TResult>(
        TState state, Func<DbSession, TState, CancellationToken, ValueTask<TResult>> query, CancellationToken ct)
    {
        // Those who wait for an answer that may not come would keep the others waiting.
        Outage.ThrowIfAway();
        var started = DatabaseTimings.Start();
        await Timings.WaitAsync(_readers, ct).ConfigureAwait(false);
        try
        {
            while (true)
            {
                var pooled = _idle.TryPop(out var session);
                session ??= await OpenReaderAsync(ct).ConfigureAwait(false);
                session.Clock ??= Timings.NewClock();
                try
                {
                    var result = await query(session, state, ct).ConfigureAwait(false);
                    session.Clock?.End();
                    _idle.Push(session);
                    return result;
                }
                catch (Exception e)
                {
                    Timings.Failed(e);
                    await session.DisposeAsync().ConfigureAwait(false);
                    if (!pooled || e is not DbException { IsTransient: true }) throw;
                }
            }
        }
        finally
        {
            _readers.Release();
            Timings.Read(started);
        }
    }

    /// <summary>
    /// Runs one transaction. The function may be run again from the start after a conflict, so it must have no effect outside the session
    /// other than through <see cref="DbSession.AfterCommit"/>. When it throws, nothing is kept.
    /// </summary>
    public abstract Task<TResult> WriteAsync<TResult>(
        Durability durability, Func<DbSession, CancellationToken, Task<TResult>> work, CancellationToken ct);

    public virtual async ValueTask DisposeAsync()
    {
        while (_idle.TryPop(out var session)) await session.DisposeAsync().ConfigureAwait(false);
        _readers.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Connections for reading that are open and not in use.</summary>
    public int IdleConnections => _idle.Count;

    /// <summary>Writes that wait for their turn.</summary>
    public virtual int QueuedWrites => 0;

    private protected abstract ValueTask<DbSession> OpenReaderAsync(CancellationToken ct);
}
