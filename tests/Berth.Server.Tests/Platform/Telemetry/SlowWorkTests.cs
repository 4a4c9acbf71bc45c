using Berth.Server.Platform.Data;
using Berth.Server.Platform.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Server.Tests.Platform.Telemetry;

/// <summary>The logs of what was slow, and what is counted of the database's connections.</summary>
public sealed class SlowWorkTests
{
    private static readonly Statement Secret = new("SELECT  @0\n  AS value", "SELECT CAST(@0 AS text)\n  AS value");
    private static readonly Statement Insert = new("INSERT INTO settings (name, value, updated_at) VALUES (@0, 'x', 0)");

    private readonly CancellationToken _ct = TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task A_slow_statement_is_told_with_its_text_and_never_with_its_values(DatabaseKind kind)
    {
        await using var test = await TestDatabase.NewAsync(kind);
        var told = new List<string>();
        // The first session of a migration is older than this: the clock belongs to sessions that begin afterwards.
        await test.CloseAsync();
        var database = test.Open();
        database.Timings.SlowAfter = TimeSpan.FromTicks(1);
        database.Timings.OnSlow = (sql, elapsed) =>
        {
            lock (told) told.Add($"{elapsed > TimeSpan.Zero} {SqlText.OneLine(sql)}");
        };
        Assert.Equal("top-secret", await database.ReadAsync(0, static async (session, _, token) =>
            (string?)await session.Command(Secret, "top-secret").ExecuteScalarAsync(token), _ct));
        await database.WriteAsync(Durability.Full, static (session, token) => session.ExecuteAsync(Insert, ["top-secret"], token).AsTask(), _ct);

        Assert.Contains(told, line => line.StartsWith("True SELECT", StringComparison.Ordinal) && line.EndsWith("AS value", StringComparison.Ordinal));
        Assert.Contains(told, line => line.StartsWith("True INSERT INTO settings", StringComparison.Ordinal));
        // The time of a commit ends with it, not with whatever comes next.
        if (kind == DatabaseKind.Sqlite) Assert.Contains("True COMMIT", told);
        Assert.DoesNotContain(told, line => line.Contains("top-secret", StringComparison.Ordinal) || line.Contains('\n', StringComparison.Ordinal));
        Assert.Equal(told.Count, database.Timings.SlowStatements);
    }

    [Fact]
    public async Task Without_a_threshold_no_statement_is_timed()
    {
        await using var test = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        test.Current.Timings.OnSlow = (_, _) => Assert.Fail("a statement was timed");
        await test.Current.ReadAsync(0, static async (session, _, token) => await session.Command(Secret, "x").ExecuteScalarAsync(token), _ct);
        Assert.Equal(0, test.Current.Timings.SlowStatements);
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task Connections_in_use_waits_and_failures_are_counted(DatabaseKind kind)
    {
        await using var test = await TestDatabase.NewAsync(kind);
        var database = test.Current;
        var gate = new TaskCompletionSource();
        const int Most = 8;
        var holding = Enumerable.Range(0, Most).Select(_ => HoldAsync(database, gate.Task)).ToList();
        await Eventually.TrueAsync(() => database.Timings.Reading >= Math.Min(Most, 4), "the readers hold their connections");
        var late = HoldAsync(database, gate.Task);
        await Eventually.TrueAsync(() => database.Timings.Waits > 0, "a reader waits");
        gate.SetResult();
        await Task.WhenAll([.. holding, late]);

        Assert.Equal(0, database.Timings.Reading);
        Assert.True(database.Timings.Waited > TimeSpan.Zero);
        Assert.InRange(database.IdleConnections, 1, Most);
        Assert.Equal(0, database.Timings.Writing);

        await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => database.WriteAsync(
            Durability.Full, static (session, token) => session.ExecuteAsync(NoSuchTable, [], token).AsTask(), _ct));
        Assert.Equal(1, database.Timings.Failures);
        Assert.Equal(0, database.Timings.Writing);
    }

    [Fact]
    public void A_slow_operation_of_a_store_is_told_and_counted()
    {
        var log = new ListLogger();
        var registry = new MetricRegistry(NullLogger<MetricRegistry>.Instance);
        var options = new LogOptions { SlowStorage = TimeSpan.FromTicks(1) };
        var store = new StorageMetrics(registry, new DatabaseTimings(), options, log).Of("archive");
        using (store.Begin(StorageOperation.Commit))
        {
            // Fails.
        }
        var line = Assert.Single(log.Lines);
        Assert.StartsWith("slow storage: commit took ", line);
        Assert.EndsWith("store archive, succeeded False", line);
        var page = new LineBuffer();
        registry.Write(page, openMetrics: false);
        Assert.Contains("berth_storage_slow_operations_total{store=\"archive\"} 1\n", System.Text.Encoding.UTF8.GetString(page.Written));
    }

    private static readonly Statement NoSuchTable = new("DELETE FROM there_is_no_such_table");

    private async Task HoldAsync(Database database, Task gate) => await database.ReadAsync(gate, static async (_, until, _) =>
    {
        await until;
        return 0;
    }, _ct);

    private sealed class ListLogger : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add(formatter(state, exception));
    }
}
