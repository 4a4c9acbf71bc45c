using System.Data.Common;
using System.Threading.Channels;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Berth.Server.Platform.Data;

/// <summary>
/// One SQLite file in WAL mode. Readers never wait for the writer. All writes go through one queue: its thread takes whatever is waiting
/// and commits it together, one savepoint each, so that many small writes share one fsync.
/// </summary>
public sealed class SqliteDatabase : Database
{
    private const int MaxBatch = 128;
    private const int MaxQueue = 4096;
    private const string MigrationLockSuffix = "-migration.lock";
    private static readonly TimeSpan MigrationPoll = TimeSpan.FromMilliseconds(50);

    private readonly string _file;
    private readonly Channel<IWrite> _queue = Channel.CreateBounded<IWrite>(new BoundedChannelOptions(MaxQueue) { SingleReader = true });
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly Thread _writer;
    private readonly DbSession _session;

    private SqliteDatabase(string file, SqliteConnection connection, int maxReaders)
        : base(maxReaders)
    {
        _file = file;
        _session = new DbSession(connection, DatabaseKind.Sqlite, Announcements, NewContext);
        _writer = new Thread(Write) { IsBackground = true, Name = "sqlite writer" };
        _writer.Start();
    }

    public override DatabaseKind Kind => DatabaseKind.Sqlite;

    /// <summary>Opens or creates the file.</summary>
    /// <exception cref="SqliteException">The file cannot be opened or is not a database.</exception>
    public static SqliteDatabase Open(string file, int maxReaders, IReadOnlyList<string>? knownMigrations = null)
    {
        var connection = Connect(file, SqliteOpenMode.ReadWriteCreate);
        Run(connection, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=10000; PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-8192;");
        // Reads run on the caller's thread: a few more than cores keeps them busy, more only costs page caches.
        return new SqliteDatabase(file, connection, Math.Min(maxReaders, Math.Max(Environment.ProcessorCount * 2, 4))) { KnownMigrations = knownMigrations ?? SchemaVersion.Migrations };
    }

    public override int QueuedWrites => _queue.Reader.Count;

    private protected override async Task MigrateInTurnAsync(CancellationToken ct)
    {
        // A server that starts and commands beside it take turns. The lock is let go with the process, whatever happens to it.
        using var turn = await LockAsync(ct).ConfigureAwait(false);
        await WriteAsync(Durability.Full, async (session, token) =>
        {
            await SchemaVersion.BringUpToDateAsync(session, KnownMigrations, token).ConfigureAwait(false);
            return true;
        }, isMigration: true, ct).ConfigureAwait(false);
    }

    private async Task<FileStream> LockAsync(CancellationToken ct)
    {
        while (true)
        {
            try
            {
                return new FileStream(_file + MigrationLockSuffix, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
            }
            catch (IOException e) when (e is not (DirectoryNotFoundException or PathTooLongException or FileNotFoundException))
            {
                // Another process has it.
                await Task.Delay(MigrationPoll, TimeProvider.System, ct).ConfigureAwait(false);
            }
        }
    }

    public override Task<TResult> WriteAsync<TResult>(Durability durability, Func<DbSession, CancellationToken, Task<TResult>> work, CancellationToken ct) =>
        WriteAsync(durability, work, isMigration: false, ct);

    public override async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        _wake.Set();
        if (!_writer.Join(TimeSpan.FromSeconds(30))) throw new TimeoutException("the writer of the database does not end");
        _wake.Dispose();
        await _session.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    private protected override ValueTask<DbSession> OpenReaderAsync(CancellationToken ct)
    {
        var connection = Connect(_file, SqliteOpenMode.ReadWrite);
        Run(connection, "PRAGMA query_only=1; PRAGMA busy_timeout=10000; PRAGMA cache_size=-8192;");
        return ValueTask.FromResult(new DbSession(connection, DatabaseKind.Sqlite, Announcements, NewContext));
    }

    private async Task<TResult> WriteAsync<TResult>(
        Durability durability, Func<DbSession, CancellationToken, Task<TResult>> work, bool isMigration, CancellationToken ct)
    {
        var started = Timings.StartWrite();
        var write = new QueuedWrite<TResult>(durability, work, isMigration, ct);
        try
        {
            await _queue.Writer.WriteAsync(write, ct).ConfigureAwait(false);
            _wake.Set();
            return await write.Result.ConfigureAwait(false);
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

    private static SqliteConnection Connect(string file, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Mode = mode, Pooling = false, ForeignKeys = true }.ConnectionString);
        connection.Open();
        return connection;
    }

    private static BerthContext NewContext(DbConnection connection) =>
        new SqliteBerthContext(new DbContextOptionsBuilder<SqliteBerthContext>().UseSqlite(connection).Options);

    private static void Run(DbConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    // ---- the writer thread ----

    private void Write()
    {
        var batch = new List<IWrite>(MaxBatch);
        var isFull = true;
        while (Wait())
        {
            while (batch.Count < MaxBatch && _queue.Reader.TryPeek(out var next))
            {
                // A migration manages its own transactions: it is a batch of its own.
                if (next.IsMigration && batch.Count > 0) break;
                _queue.Reader.TryRead(out _);
                batch.Add(next);
                if (next.IsMigration) break;
            }
            if (batch.Count == 0) continue;
            if (batch[0].IsMigration) batch[0].RunAlone(_session);
            else Commit(batch, ref isFull);
            batch.Clear();
        }
    }

    // This thread has nothing else to do than to wait. It sleeps in the kernel: waiting for a task would spin first.
    private bool Wait()
    {
        while (true)
        {
            if (_queue.Reader.TryPeek(out _)) return true;
            if (_queue.Reader.Completion.IsCompleted) return false;
            _wake.WaitOne();
        }
    }

    private void Commit(List<IWrite> batch, ref bool isFull)
    {
        _session.Clock ??= Timings.NewClock();
        var needsFull = batch.Exists(w => w.Durability == Durability.Full);
        try
        {
            if (needsFull != isFull) Run(_session.Connection, needsFull ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
            isFull = needsFull;
            Execute(Begin);
            foreach (var write in batch)
            {
                Execute(Savepoint);
                if (write.Run(_session)) Execute(Release);
                else Execute(RollbackTo);
            }
            Execute(CommitAll);
            // What comes next may be long in coming.
            _session.Clock?.End();
        }
        catch (Exception e) when (e is SqliteException or InvalidOperationException)
        {
            RollbackAll();
            foreach (var write in batch) write.Fail(e);
            return;
        }
        foreach (var write in batch) write.Complete();
    }

    private void RollbackAll()
    {
        try
        {
            Execute(RollbackEverything);
        }
        catch (SqliteException)
        {
            // The failure had ended the transaction already; what matters is that none is open, and the next BEGIN tells if one is.
        }
        _session.EndWork();
    }

    private void Execute(Statement statement) => _session.Command(statement).ExecuteNonQuery();

    private static readonly Statement Begin = new("BEGIN IMMEDIATE");
    private static readonly Statement Savepoint = new("SAVEPOINT w");
    private static readonly Statement Release = new("RELEASE w");
    private static readonly Statement RollbackTo = new("ROLLBACK TO w; RELEASE w");
    private static readonly Statement CommitAll = new("COMMIT");
    private static readonly Statement RollbackEverything = new("ROLLBACK");

    private interface IWrite
    {
        Durability Durability { get; }

        bool IsMigration { get; }

        /// <summary>Runs the work; false when its changes must go.</summary>
        bool Run(DbSession session);

        void RunAlone(DbSession session);

        void Complete();

        void Fail(Exception error);
    }

    private sealed class QueuedWrite<TResult>(
        Durability durability, Func<DbSession, CancellationToken, Task<TResult>> work, bool isMigration, CancellationToken ct) : IWrite
    {
        private readonly TaskCompletionSource<TResult> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private TResult _result = default!;
        private Exception? _error;
        private List<Action>? _afterCommit;

        public Durability Durability => durability;

        public bool IsMigration => isMigration;

        public Task<TResult> Result => _done.Task;

        public bool Run(DbSession session)
        {
            try
            {
                ct.ThrowIfCancellationRequested();
                // SQLite has no asynchronous work: the task is complete when it comes back.
                _result = work(session, CancellationToken.None).GetAwaiter().GetResult();
                var keep = !session.IsRolledBack;
                _afterCommit = session.EndWork();
                return keep;
            }
            catch (Exception e)
            {
                // Handed to the caller, who waits for it.
                _error = e;
                session.Rollback();
                session.EndWork();
                return false;
            }
        }

        public void RunAlone(DbSession session)
        {
            Run(session);
            Complete();
        }

        public void Complete()
        {
            if (_error is not null)
            {
                _done.TrySetException(_error);
                return;
            }
            _afterCommit?.ForEach(action => action());
            _done.TrySetResult(_result);
        }

        public void Fail(Exception error) => _done.TrySetException(_error ?? error);
    }
}
