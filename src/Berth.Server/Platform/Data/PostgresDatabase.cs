using System.Data;
using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Berth.Server.Platform.Data;

/// <summary>PostgreSQL 14 or newer. Each write is a transaction at READ COMMITTED with explicit row locks; conflicts are tried again.</summary>
public sealed class PostgresDatabase : Database
{
    private const int MaxTries = 8;
    private const int MaxBrokenTries = 3;
    private const int MaxMigrationTries = 20;

    private readonly NpgsqlDataSource _source;
    private readonly Lazy<PostgresListener> _listener;

    private PostgresDatabase(NpgsqlDataSource source, string connectionString, int maxReaders, TimeSpan outageReads)
        : base(maxReaders, outageReads)
    {
        _source = source;
        _listener = new Lazy<PostgresListener>(() => new PostgresListener(connectionString, Announcements));
        Announcements.Started = () => _ = _listener.Value;
    }

    public override DatabaseKind Kind => DatabaseKind.Postgres;

    /// <summary>Prepares the pool; no connection is made yet.</summary>
    /// <param name="connectionString">Npgsql connection string.</param>
    /// <param name="maxReaders">Most connections for reading.</param>
    /// <param name="outageReads">See <see cref="DatabaseOptions.OutageReads"/>.</param>
    /// <param name="knownMigrations">For tests, see <see cref="Database.KnownMigrations"/>.</param>
    public static PostgresDatabase Open(string connectionString, int maxReaders, TimeSpan outageReads = default, IReadOnlyList<string>? knownMigrations = null)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString) { MaxAutoPrepare = 128, AutoPrepareMinUsages = 2, Enlist = false };
        if (builder.MaxPoolSize < maxReaders * 2) builder.MaxPoolSize = maxReaders * 2;
        return new PostgresDatabase(NpgsqlDataSource.Create(builder), builder.ConnectionString, maxReaders, outageReads)
        {
            KnownMigrations = knownMigrations ?? SchemaVersion.Migrations,
        };
    }

    private protected override async Task MigrateInTurnAsync(CancellationToken ct)
    {
        await using var session = await OpenReaderAsync(ct).ConfigureAwait(false);
        // Replicas that start together take turns; a migration may take long. The lock is let go with the connection, whatever happens to the process.
        await using var guard = session.Connection.CreateCommand();
        guard.CommandText = "SELECT pg_advisory_lock(4823561)";
        guard.CommandTimeout = 0;
        await guard.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        // Replicas of the version before go on writing: a step that waits for a table makes them wait too, and may stand in a deadlock with them.
        guard.CommandText = "SET lock_timeout TO '5s'";
        await guard.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    await SchemaVersion.BringUpToDateAsync(session, KnownMigrations, ct).ConfigureAwait(false);
                    return;
                }
                catch (Exception e) when (attempt < MaxMigrationTries && IsLockedOut(e))
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(100 * attempt), TimeProvider.System, ct).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            guard.CommandText = "RESET lock_timeout; SELECT pg_advisory_unlock(4823561)";
            await guard.ExecuteNonQueryAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    public override async Task<TResult> WriteAsync<TResult>(
        Durability durability, Func<DbSession, CancellationToken, Task<TResult>> work, CancellationToken ct)
    {
        var started = Timings.StartWrite();
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                await using var session = await OpenReaderAsync(ct).ConfigureAwait(false);
                try
                {
                    return await RunAsync(session, Timings.NewClock(), durability, work, ct).ConfigureAwait(false);
                }
                catch (NpgsqlException e) when (attempt < MaxBrokenTries && e.IsTransient && !session.IsCommitting && !IsConflict(e))
                {
                    // A connection of the pool that the server had closed: nothing is committed yet, so another may do it.
                }
                catch (PostgresException e) when (IsConflict(e) && attempt < MaxTries)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds((1 << attempt) + Random.Shared.Next(8)), TimeProvider.System, ct).ConfigureAwait(false);
                }
            }
        }
        catch (Exception e) when (Timings.Failed(e))
        {
            throw;
        }
        finally
        {
            Timings.Write(started);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (_listener.IsValueCreated) await _listener.Value.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
        await _source.DisposeAsync().ConfigureAwait(false);
    }

    private protected override async ValueTask<DbSession> OpenReaderAsync(CancellationToken ct)
    {
        Outage.ThrowIfAway();
        try
        {
            return new DbSession(await _source.OpenConnectionAsync(ct).ConfigureAwait(false), DatabaseKind.Postgres, Announcements, NewContext);
        }
        catch (NpgsqlException e) when (DatabaseFailure.IsUnreachable(e))
        {
            Outage.Begin(e);
            throw;
        }
    }

    private static async Task<TResult> RunAsync<TResult>(
        DbSession session, StatementClock? clock, Durability durability, Func<DbSession, CancellationToken, Task<TResult>> work, CancellationToken ct)
    {
        await using var transaction = await session.Connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, ct).ConfigureAwait(false);
        session.Transaction = transaction;
        session.Clock ??= clock;
        if (durability == Durability.Relaxed) await session.ExecuteAsync(Asynchronous, [], ct).ConfigureAwait(false);
        var result = await work(session, ct).ConfigureAwait(false);
        session.IsCommitting = true;
        // From here on the outcome is the database's, whether the client waits or not.
        if (session.IsRolledBack) await transaction.RollbackAsync(CancellationToken.None).ConfigureAwait(false);
        else await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
        session.EndWork()?.ForEach(action => action());
        return result;
    }

    // Serialization failure, deadlock, two inserts of the same new name, and a row for something that was deleted while this looked at it.
    private static bool IsConflict(NpgsqlException e) =>
        e.SqlState is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.UniqueViolation
            or PostgresErrorCodes.ForeignKeyViolation;

    // A migration is one transaction: the victim of a deadlock has changed nothing. EF wraps what PostgreSQL says.
    private static bool IsLockedOut(Exception e) =>
        e is PostgresException { SqlState: PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.LockNotAvailable } || (e.InnerException is { } inner && IsLockedOut(inner));

    private static BerthContext NewContext(DbConnection connection) =>
        new PostgresBerthContext(new DbContextOptionsBuilder<PostgresBerthContext>().UseNpgsql(connection).Options);

    private static readonly Statement Asynchronous = new("SELECT 1", "SET LOCAL synchronous_commit TO OFF");
}
