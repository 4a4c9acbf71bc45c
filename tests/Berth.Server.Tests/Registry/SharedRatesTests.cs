using System.Diagnostics;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Server.Tests.Registry;

/// <summary>Limits that hold for several replicas on one PostgreSQL.</summary>
public sealed class SharedRatesTests
{
    private static readonly RateKey s_key = new(RateScope.RegistryPull, "", 0);

    [Fact]
    public async Task Three_replicas_pass_together_what_the_limit_allows_and_ask_seldom()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Postgres);
        SharedRates[] replicas = [New(database.Open()), New(database.Open()), New(database.Open())];
        var rate = new Rate(200, TimeSpan.FromHours(1));
        var passed = 0;
        var clock = Stopwatch.GetTimestamp();
        await Parallel.ForEachAsync(Enumerable.Range(0, 600), new ParallelOptions { MaxDegreeOfParallelism = 24 }, async (i, ct) =>
        {
            if (await replicas[i % 3].TakeAsync(s_key, rate, ct) is null) Interlocked.Increment(ref passed);
        });
        // Never more but what came back meanwhile; less by what a replica may hold.
        var back = (int)(Stopwatch.GetElapsedTime(clock) / (rate.Period / rate.Count)) + 1;
        Assert.InRange(passed, 200 - (3 * 10), 200 + back);
        Assert.InRange(replicas.Sum(r => r.Asked), 3, 150);

        // Who is refused is refused from memory.
        var asked = replicas.Sum(r => r.Asked);
        for (var i = 0; i < 300; i++) Assert.NotNull(await replicas[i % 3].TakeAsync(s_key, rate, CancellationToken.None));
        Assert.InRange(replicas.Sum(r => r.Asked), asked, asked + (3 * (back + 20)));
    }

    [Fact]
    public async Task A_low_limit_is_kept_to_the_last_one_and_room_comes_back()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Postgres);
        SharedRates[] replicas = [New(database.Open()), New(database.Open()), New(database.Open())];
        var rate = new Rate(4, TimeSpan.FromSeconds(2));
        var started = Stopwatch.GetTimestamp();
        var passed = 0;
        TimeSpan? wait = null;
        while (wait is null)
        {
            wait = await replicas[passed % 3].TakeAsync(s_key, rate, CancellationToken.None);
            if (wait is null) passed++;
        }
        Assert.InRange(passed, 4, 5 + (int)(Stopwatch.GetElapsedTime(started) / TimeSpan.FromSeconds(0.5)));
        Assert.InRange(wait.Value, TimeSpan.Zero, TimeSpan.FromSeconds(0.5));
        await Eventually.TrueAsync(async () => await replicas[2].TakeAsync(s_key, rate, CancellationToken.None) is null, "room again");
    }

    [Fact]
    public async Task Each_caller_has_a_limit_of_its_own_and_crowds_share_statements()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Postgres);
        var replica = New(database.Open());
        var rate = new Rate(20, TimeSpan.FromHours(1));
        await Task.WhenAll(Enumerable.Range(0, 400).Select(i => Task.Run(async () =>
            Assert.Null(await replica.TakeAsync(new RateKey(RateScope.CallerPull, $"user:{i}", 0), rate, CancellationToken.None)))));
        Assert.InRange(replica.Asked, 1, 200);
    }

    [Fact]
    public async Task Without_the_database_a_replica_counts_for_itself()
    {
        await using var away = PostgresDatabase.Open("Host=127.0.0.1;Port=1;Username=x;Password=x;Database=x;Timeout=5", 2);
        var replica = New(away);
        var rate = new Rate(3, TimeSpan.FromHours(1));
        for (var i = 0; i < 3; i++) Assert.Null(await replica.TakeAsync(s_key, rate, CancellationToken.None));
        Assert.NotNull(await replica.TakeAsync(s_key, rate, CancellationToken.None));
    }

    private static SharedRates New(Database database) => new(database, TimeProvider.System, NullLogger<SharedRates>.Instance);
}
