using System.Data.Common;
using Microsoft.EntityFrameworkCore;

namespace Berth.Server.Platform.Data;

/// <summary>
/// One open connection with its prepared commands; lent by <see cref="Database"/> to one caller at a time. Inside a write it is the
/// transaction: everything done through it is committed together or not at all.
/// </summary>
public sealed class DbSession : IAsyncDisposable
{
    private readonly Dictionary<Statement, DbCommand> _commands = [];
    private readonly Func<DbConnection, BerthContext> _newContext;
    private readonly Announcements _announcements;
    private List<Action>? _afterCommit;

    internal DbSession(DbConnection connection, DatabaseKind kind, Announcements announcements, Func<DbConnection, BerthContext> newContext)
    {
        Connection = connection;
        Kind = kind;
        _announcements = announcements;
        _newContext = newContext;
    }

    /// <summary>Which database this is.</summary>
    public DatabaseKind Kind { get; }

    internal DbConnection Connection { get; }

    internal DbTransaction? Transaction { get; set; }

    /// <summary>Times the statements; null when nobody wants to know.</summary>
    internal StatementClock? Clock { get; set; }

    /// <summary>True once the work asked that nothing of it is kept.</summary>
    internal bool IsRolledBack { get; private set; }

    /// <summary>True from when the transaction is about to be committed: an error after that does not say whether it was.</summary>
    internal bool IsCommitting { get; set; }

    /// <summary>The prepared command of a statement with its values set. It belongs to the session: use it at once, do not dispose it.</summary>
    public DbCommand Command(Statement statement, params ReadOnlySpan<object?> values)
    {
        if (values.Length != statement.ParameterCount) throw new ArgumentException("wrong number of values", nameof(values));
        if (!_commands.TryGetValue(statement, out var command))
        {
            command = Connection.CreateCommand();
            command.CommandText = Kind == DatabaseKind.Sqlite ? statement.Sqlite : statement.Postgres;
            for (var i = 0; i < statement.ParameterCount; i++)
            {
                var parameter = command.CreateParameter();
                parameter.ParameterName = "@" + i;
                command.Parameters.Add(parameter);
            }
            _commands.Add(statement, command);
        }
        for (var i = 0; i < values.Length; i++) command.Parameters[i].Value = values[i] ?? DBNull.Value;
        command.Transaction = Transaction;
        Clock?.Begin(command.CommandText);
        return command;
    }

    /// <summary>
    /// A command whose text was put together for one request, a list with conditions for example; it is not kept, and the caller disposes it.
    /// </summary>
    public DbCommand OneTimeCommand(string sql, IReadOnlyList<object?> values)
    {
        var command = Connection.CreateCommand();
        command.CommandText = sql;
        command.Transaction = Transaction;
        Clock?.Begin(sql);
        for (var i = 0; i < values.Count; i++)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = "@" + i;
            parameter.Value = values[i] ?? DBNull.Value;
            command.Parameters.Add(parameter);
        }
        return command;
    }

    /// <summary>Runs a statement that returns no rows; the number of rows it changed.</summary>
    public async ValueTask<int> ExecuteAsync(Statement statement, object?[] values, CancellationToken ct) =>
        await Command(statement, values).ExecuteNonQueryAsync(ct).ConfigureAwait(false);

    /// <summary>The first column of the first row as a number, or null when there is no row or no value.</summary>
    public async ValueTask<long?> ScalarAsync(Statement statement, object?[] values, CancellationToken ct)
    {
        var value = await Command(statement, values).ExecuteScalarAsync(ct).ConfigureAwait(false);
        return value is null or DBNull ? null : Convert.ToInt64(value, provider: null);
    }

    /// <summary>An EF context on this connection and transaction; the caller disposes it, the connection stays open.</summary>
    public BerthContext NewContext()
    {
        var context = _newContext(Connection);
        context.Database.AutoTransactionBehavior = AutoTransactionBehavior.Never;
        if (Transaction is not null) context.Database.UseTransaction(Transaction);
        return context;
    }

    /// <summary>Gives up everything this work has written; its result is still returned.</summary>
    public void Rollback() => IsRolledBack = true;

    /// <summary>Runs an action once the transaction is committed: dropping cached facts, waking workers. Never anything that may not be lost.</summary>
    public void AfterCommit(Action action) => (_afterCommit ??= []).Add(action);

    /// <summary>
    /// Lets all processes know, once this is committed, that something they may remember has changed (<see cref="Announcements"/>). This process
    /// has heard it when the write returns.
    /// </summary>
    /// <param name="topic">One of <see cref="Topics"/>.</param>
    /// <param name="key">What exactly; empty for everything of the topic.</param>
    /// <param name="ct">Cancels.</param>
    public async ValueTask AnnounceAsync(string topic, string key, CancellationToken ct)
    {
        if (Kind == DatabaseKind.Postgres) await ExecuteAsync(Notify, [topic + "\n" + key], ct).ConfigureAwait(false);
        AfterCommit(() => _announcements.Publish(topic, key));
    }

    public async ValueTask DisposeAsync()
    {
        Clock?.End();
        foreach (var command in _commands.Values) await command.DisposeAsync().ConfigureAwait(false);
        _commands.Clear();
        await Connection.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Takes the actions of the work that just ended and makes the session ready for the next.</summary>
    internal List<Action>? EndWork()
    {
        Clock?.End();
        var actions = IsRolledBack ? null : _afterCommit;
        _afterCommit = null;
        IsRolledBack = false;
        return actions;
    }

    private static readonly Statement Notify = new("SELECT @0", $"SELECT pg_notify('{PostgresListener.Channel}', @0)");
}
