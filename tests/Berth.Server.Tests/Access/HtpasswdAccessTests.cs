using System.Text;
using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Server.Tests.Access;

public sealed class HtpasswdAccessTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("berth-test-").FullName;
    private readonly ManualTime _time = new();
    private readonly CredentialCache _cache;
    private readonly PasswordSignIn _signIn;
    private readonly AccessOptions _options;
    private readonly string _file;

    public HtpasswdAccessTests()
    {
        _file = Path.Join(_folder, "auth", "htpasswd");
        _options = new AccessOptions { Mode = AccessMode.Htpasswd, HtpasswdFile = _file, Realm = "my \"own\" realm" };
        var counters = new AccessCounters();
        _cache = new CredentialCache(_options, counters, _time, new Announcements());
        _signIn = new PasswordSignIn(_cache, new FailedSignIns(_options, _time), null, counters, _time, NullLogger<PasswordSignIn>.Instance);
    }

    public void Dispose()
    {
        _signIn.Dispose();
        _cache.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_user_of_the_file_may_do_everything_and_nobody_else_anything()
    {
        Write($"# people\n\n  alice:{Bcrypt.Hash("secret", 4)}  \nold:$apr1$x$y\n");
        var access = Open();
        var alice = (await SignInAsync(access, "alice", "secret")).Caller!;
        Assert.Equal("htpasswd:alice", alice.Id);
        Assert.All(Enum.GetValues<RepositoryAction>(), a => Assert.True(access.May(alice, "x", a)));
        Assert.True(access.MayListCatalog(alice) && access.MayUseApi(alice));
        Assert.Null((await SignInAsync(access, "alice", "wrong")).Caller);
        Assert.Null((await SignInAsync(access, "Alice", "secret")).Caller);
        Assert.Null((await SignInAsync(access, "old", "$apr1$x$y")).Caller);
        var nobody = (await access.SignInAsync(new DefaultHttpContext(), CancellationToken.None)).Caller!;
        Assert.True(nobody.IsAnonymous);
        Assert.All(Enum.GetValues<RepositoryAction>(), a => Assert.False(access.May(nobody, "x", a)));
        Assert.False(access.MayListCatalog(nobody) || access.MayUseApi(nobody));
        Assert.Equal("Basic realm=\"my \\\"own\\\" realm\"", access.Challenge(new DefaultHttpContext(), "repository:x:pull", null));
    }

    [Fact]
    public async Task A_changed_file_is_read_again_and_ends_what_is_remembered()
    {
        Write($"alice:{Bcrypt.Hash("one", 4)}");
        var access = Open();
        Assert.NotNull((await SignInAsync(access, "alice", "one")).Caller);
        Write($"alice:{Bcrypt.Hash("two!", 4)}\n");
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null((await SignInAsync(access, "alice", "one")).Caller);
        Assert.NotNull((await SignInAsync(access, "alice", "two!")).Caller);
    }

    [Fact]
    public async Task A_file_that_becomes_malformed_or_vanishes_leaves_the_last_good_one_in_force()
    {
        Write($"alice:{Bcrypt.Hash("one", 4)}");
        var access = Open();
        _ = (await SignInAsync(access, "alice", "one")).Caller;
        Write("no colon here");
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.NotNull((await SignInAsync(access, "alice", "one")).Caller);
        File.Delete(_file);
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.NotNull((await SignInAsync(access, "alice", "one")).Caller);
    }

    [Fact]
    public void A_malformed_file_stops_the_start()
    {
        Write("no colon here");
        Assert.Contains("line 1", Assert.Throws<InvalidDataException>(() => Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_file_is_created_with_one_user_whose_password_is_logged()
    {
        var log = new Lines();
        var access = Open(log);
        var password = Assert.Single(log.Texts).Split(' ')[^1];
        Assert.Equal("htpasswd:docker", (await SignInAsync(access, "docker", password)).Caller?.Id);
        Assert.StartsWith("docker:$2y$10$", await File.ReadAllTextAsync(_file), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_file));
        // The second start takes the file as it is.
        var again = new Lines();
        Assert.NotNull((await SignInAsync(Open(again), "docker", password)).Caller);
        Assert.Empty(again.Texts);
    }

    private HtpasswdAccess Open(ILogger<HtpasswdAccess>? log = null) =>
        new(_options, _signIn, _cache, _time, log ?? NullLogger<HtpasswdAccess>.Instance);

    private void Write(string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_file)!);
        File.WriteAllText(_file, text);
    }

    private static ValueTask<SignInResult> SignInAsync(HtpasswdAccess access, string name, string password)
    {
        var context = new DefaultHttpContext();
        context.Request.Headers.Authorization = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{password}"));
        return access.SignInAsync(context, CancellationToken.None);
    }

    private sealed class Lines : ILogger<HtpasswdAccess>
    {
        public List<string> Texts { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Texts.Add(formatter(state, exception));
    }
}
