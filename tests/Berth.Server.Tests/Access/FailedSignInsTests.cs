using System.Net;
using Berth.Server.Access;

namespace Berth.Server.Tests.Access;

public sealed class FailedSignInsTests
{
    private static readonly IPAddress Office = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress Attacker = IPAddress.Parse("198.51.100.7");

    private readonly ManualTime _time = new();
    private readonly FailedSignIns _failures;

    public FailedSignInsTests() => _failures = new FailedSignIns(new AccessOptions(), _time);

    [Fact]
    public void The_first_failures_cost_nothing_then_answers_slow_down_and_then_tries_are_turned_away()
    {
        var delays = Enumerable.Range(0, 10).Select(_ => _failures.Failed("alice", Office).TotalSeconds).ToList();
        Assert.Equal([0, 0, 0, 0, 0, 0.25, 0.5, 1, 2, 4], delays);
        Assert.Null(_failures.Blocked("alice", Office));
        Assert.Equal(5, _failures.Failed("alice", Office).TotalSeconds);
        Assert.Equal(TimeSpan.FromSeconds(8), _failures.Blocked("alice", Office));
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(TimeSpan.FromSeconds(5), _failures.Blocked("alice", Office));
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Null(_failures.Blocked("alice", Office));
    }

    [Fact]
    public void The_wait_never_passes_a_minute()
    {
        for (var i = 0; i < 1_000; i++) _failures.Failed("alice", Office);
        Assert.Equal(TimeSpan.FromMinutes(1), _failures.Blocked("alice", Office));
    }

    [Fact]
    public void Failures_leak_away()
    {
        for (var i = 0; i < 11; i++) _failures.Failed("alice", Office);
        _time.Advance(TimeSpan.FromMinutes(11));
        Assert.Null(_failures.Blocked("alice", Office));
        Assert.Equal(TimeSpan.Zero, _failures.Failed("alice", Office));
    }

    [Fact]
    public void An_address_that_tries_many_names_is_slowed_and_so_is_its_ipv6_network()
    {
        for (var i = 0; i < 11; i++) _failures.Failed("user" + i, Attacker);
        Assert.NotNull(_failures.Blocked("fresh", Attacker));
        Assert.NotNull(_failures.Blocked("fresh", IPAddress.Parse("::ffff:198.51.100.7")));
        Assert.Null(_failures.Blocked("fresh", Office));
        for (var i = 0; i < 11; i++) _failures.Failed("user" + i, IPAddress.Parse("2001:db8::" + i));
        Assert.NotNull(_failures.Blocked("fresh", IPAddress.Parse("2001:db8::ffff:1")));
        Assert.Null(_failures.Blocked("fresh", IPAddress.Parse("2001:db8:0:1::1")));
    }

    [Fact]
    public void Success_resets_the_name()
    {
        for (var i = 0; i < 9; i++) _failures.Failed("alice", address: null);
        _failures.Succeeded("alice", address: null);
        Assert.Equal(TimeSpan.Zero, _failures.Failed("alice", address: null));
    }

    [Fact]
    public void Guessing_a_name_does_not_lock_out_its_owner_where_the_owner_has_signed_in_before()
    {
        _failures.Succeeded("alice", Office);
        for (var i = 0; i < 20; i++) _failures.Failed("alice", Attacker);
        Assert.NotNull(_failures.Blocked("alice", Attacker));
        Assert.NotNull(_failures.Blocked("alice", IPAddress.Parse("203.0.113.9")));
        Assert.Null(_failures.Blocked("alice", Office));
    }

    [Fact]
    public void A_broken_job_does_not_lock_out_the_others_of_its_address()
    {
        _failures.Succeeded("alice", Office);
        for (var i = 0; i < 20; i++) _failures.Failed("robot", Office);
        Assert.NotNull(_failures.Blocked("robot", Office));
        Assert.NotNull(_failures.Blocked("stranger", Office));
        Assert.Null(_failures.Blocked("alice", Office));
    }

    [Fact]
    public void A_flood_of_names_is_forgotten_not_kept()
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < 300_000; i++) _failures.Failed("name" + i, new IPAddress(i * 7919L));
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(grown < 20_000_000, $"{grown} bytes");
    }
}
