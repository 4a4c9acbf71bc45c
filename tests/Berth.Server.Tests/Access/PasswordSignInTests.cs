using System.Net;
using System.Text;
using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Microsoft.Extensions.Logging.Abstractions;
using CredentialCache = Berth.Server.Access.CredentialCache;

namespace Berth.Server.Tests.Access;

public sealed class PasswordSignInTests : IDisposable
{
    private static readonly IPAddress Address = IPAddress.Parse("192.0.2.1");

    private readonly ManualTime _time = new();
    private readonly AccessCounters _counters = new();
    private readonly CredentialCache _cache;
    private readonly PasswordSignIn _signIn;
    private int _checks;

    public PasswordSignInTests()
    {
        var options = new AccessOptions();
        _cache = new CredentialCache(options, _counters, _time, new Announcements());
        _signIn = new PasswordSignIn(_cache, new FailedSignIns(options, _time), null, _counters, _time, NullLogger<PasswordSignIn>.Instance);
    }

    public void Dispose()
    {
        _signIn.Dispose();
        _cache.Dispose();
    }

    [Fact]
    public async Task A_repeated_request_is_not_checked_again()
    {
        for (var i = 0; i < 10; i++) Assert.Equal("alice", (await TryAsync("alice", "right")).Caller?.Name);
        Assert.Equal(1, _checks);
        Assert.Equal(1, _counters.SignInsSucceeded);
        Assert.Equal(9, _counters.CredentialsRemembered);
    }

    [Fact]
    public async Task Many_first_requests_at_once_are_checked_a_few_times_only()
    {
        var all = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Task.Run(async () => await TryAsync("alice", "right"))));
        Assert.All(all, r => Assert.Equal("alice", r.Caller?.Name));
        Assert.InRange(_checks, 1, Environment.ProcessorCount);
    }

    [Fact]
    public async Task Wrong_passwords_are_refused_slowed_and_then_turned_away_unread()
    {
        for (var i = 0; i < 5; i++) Assert.Null((await TryAsync("alice", "wrong")).Caller);
        var slow = TryAsync("alice", "wrong").AsTask();
        Assert.False(slow.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(250));
        Assert.Null((await slow).Caller);
        for (var i = 0; i < 5; i++)
        {
            slow = TryAsync("alice", "wrong").AsTask();
            _time.Advance(TimeSpan.FromSeconds(5));
            Assert.Equal(default, await slow);
        }
        var checks = _checks;
        var turnedAway = await TryAsync("alice", "right");
        Assert.Null(turnedAway.Caller);
        Assert.InRange(turnedAway.RetryAfter!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
        Assert.Equal(checks, _checks);
        Assert.Equal(11, _counters.SignInsFailed);
        Assert.Equal(1, _counters.SignInsThrottled);
        _time.Advance(turnedAway.RetryAfter.Value);
        Assert.Equal("alice", (await TryAsync("alice", "right")).Caller?.Name);
    }

    [Theory]
    [InlineData("Basic")]
    [InlineData("Basic ")]
    [InlineData("Basic !!!")]
    [InlineData("Basic bm9jb2xvbg==")]
    [InlineData("Basic OnBhc3N3b3Jk")]
    [InlineData("Basic /////w==")]
    [InlineData("Digest username=\"alice\"")]
    public async Task Malformed_headers_are_refused_without_a_check(string authorization)
    {
        var result = await _signIn.SignInAsync(authorization, Address, CheckAsync, CancellationToken.None);
        Assert.Equal(default, result);
        Assert.Equal(0, _checks);
        Assert.Equal(1, _counters.SignInsFailed);
    }

    [Fact]
    public void Credentials_survive_the_way_through_a_header()
    {
        Assert.True(BasicCredentials.TryParse(new BasicCredentials("älice", "p:a:ß").ToHeader(), out var parsed));
        Assert.Equal(new BasicCredentials("älice", "p:a:ß"), parsed);
        Assert.False(BasicCredentials.TryParse("Basic " + Convert.ToBase64String("alice:a\0b"u8), out _));
        Assert.False(BasicCredentials.TryParse(new BasicCredentials(new string('a', 256), "p").ToHeader(), out _));
    }

    private ValueTask<SignInResult> TryAsync(string name, string password) =>
        _signIn.SignInAsync("Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{password}")), Address, CheckAsync, CancellationToken.None);

    private ValueTask<CredentialVerdict> CheckAsync(string name, string password, CancellationToken ct)
    {
        Interlocked.Increment(ref _checks);
        return new(password == "right" ? CredentialVerdict.Of(new Caller("test:" + name, name, isAdmin: false, grants: null)) : CredentialVerdict.Wrong);
    }
}
