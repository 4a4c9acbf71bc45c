using System.Diagnostics;
using Berth.Server.Access;
using Berth.Server.Platform.Data;

namespace Berth.Server.Tests.Access;

public sealed class CredentialCacheTests : IDisposable
{
    private static readonly Caller Alice = new("local:alice", "alice", isAdmin: false, grants: null);
    private static readonly Caller Bob = new("local:bob", "bob", isAdmin: false, grants: null);

    private readonly ManualTime _time = new();
    private readonly AccessCounters _counters = new();
    private readonly CredentialCache _cache;

    public CredentialCacheTests() => _cache = new CredentialCache(new AccessOptions(), _counters, _time, new Announcements());

    public void Dispose() => _cache.Dispose();

    [Fact]
    public void Credentials_are_remembered_for_the_configured_time_and_compared_exactly()
    {
        _cache.Remember("Basic abc", Alice, null, _cache.Epoch);
        Assert.Same(Alice, _cache.Find("Basic abc"));
        Assert.Null(_cache.Find("Basic abC"));
        Assert.Null(_cache.Find("basic abc"));
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.Same(Alice, _cache.Find("Basic abc"));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(_cache.Find("Basic abc"));
        Assert.Equal(2, _counters.CredentialsRemembered);
    }

    [Fact]
    public void A_token_is_never_remembered_beyond_its_end()
    {
        _cache.Remember("Bearer t", Alice, _time.GetUtcNow().AddSeconds(10), _cache.Epoch);
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.Same(Alice, _cache.Find("Bearer t"));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(_cache.Find("Bearer t"));
        _cache.Remember("Bearer old", Alice, _time.GetUtcNow().AddSeconds(-1), _cache.Epoch);
        Assert.Null(_cache.Find("Bearer old"));
    }

    [Fact]
    public void Forgetting_a_caller_leaves_the_others()
    {
        _cache.Remember("Basic a", Alice, null, _cache.Epoch);
        _cache.Remember("Bearer a", Alice, null, _cache.Epoch);
        _cache.Remember("Basic b", Bob, null, _cache.Epoch);
        _cache.Forget(Alice.Id);
        Assert.Null(_cache.Find("Basic a"));
        Assert.Null(_cache.Find("Bearer a"));
        Assert.Same(Bob, _cache.Find("Basic b"));
    }

    [Fact]
    public void What_was_verified_before_a_password_change_is_not_remembered_after_it()
    {
        var epoch = _cache.Epoch;
        _cache.Forget(Alice.Id);
        _cache.Remember("Basic old-password", Alice, null, epoch);
        Assert.Null(_cache.Find("Basic old-password"));
    }

    [Fact]
    public void The_number_of_entries_is_bounded_and_the_newest_stay()
    {
        for (var i = 0; i < 100_000; i++) _cache.Remember("Basic " + i, Alice, null, _cache.Epoch);
        var kept = Enumerable.Range(0, 100_000).Count(i => _cache.Find("Basic " + i) is not null);
        Assert.InRange(kept, 5_000, 20_000);
        Assert.NotNull(_cache.Find("Basic 99999"));
    }

    [Fact]
    public void A_long_value_is_remembered_too()
    {
        var authorization = "Bearer " + new string('x', 10_000);
        _cache.Remember(authorization, Alice, null, _cache.Epoch);
        Assert.Same(Alice, _cache.Find(authorization));
        Assert.Null(_cache.Find(authorization[..^1] + "y"));
    }

    [Fact]
    public void A_hit_allocates_nothing_and_takes_about_a_microsecond()
    {
        using var cache = new CredentialCache(new AccessOptions(), _counters, TimeProvider.System, new Announcements());
        const string Authorization = "Basic YWxpY2U6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==";
        cache.Remember(Authorization, Alice, null, cache.Epoch);
        for (var i = 0; i < 20_000; i++) cache.Find(Authorization);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var best = double.MaxValue;
        for (var round = 0; round < 20; round++)
        {
            var started = Stopwatch.GetTimestamp();
            for (var i = 0; i < 1_000; i++) cache.Find(Authorization);
            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalNanoseconds / 1_000);
        }
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        TestContext.Current.TestOutputHelper?.WriteLine($"{best:F0} ns a hit");
        // Generous, for busy machines: a password hash would be ten thousand times as much.
        Assert.True(best < 10_000, $"{best:F0} ns");
    }
}
