using Berth.Blobs.Http;
using Berth.Blobs.Objects;
using Berth.Blobs.Swift;

namespace Berth.Blobs.Tests.Swift;

/// <summary>Sign-in at Keystone, against the double, with tokens of a real Swift behind it where one is needed.</summary>
public sealed class KeystoneTests : IAsyncDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly KeystoneDouble _keystone = new();
    private readonly SettableTime _time = new();

    public KeystoneTests()
    {
        _keystone.Time = _time;
        _keystone.Endpoints = [("public", "one", "http://127.0.0.1:1/v1/AUTH_a/"), ("internal", "two", "http://127.0.0.1:2/v1/AUTH_b")];
    }

    private SwiftOptions Options => new() { AuthUrl = _keystone.Url + "/v3", Username = "me", Password = "pw", Container = "c", MaxTries = 1 };

    public ValueTask DisposeAsync() => _keystone.DisposeAsync();

    [Fact]
    public async Task A_user_and_a_project_are_named_with_their_domains()
    {
        await SignInAsync(Options with { Tenant = "p", Domain = "d", TenantDomain = "pd" });
        await SignInAsync(Options with { Tenant = "p", DomainId = "d1" });
        await SignInAsync(Options with { Tenant = "p", AuthUrl = _keystone.Url, AuthVersion = 3 });
        Assert.Equal(
            [
                """{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"me","domain":{"name":"d"},"password":"pw"}}},"scope":{"project":{"name":"p","domain":{"name":"pd"}}}}}""",
                """{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"me","domain":{"id":"d1"},"password":"pw"}}},"scope":{"project":{"name":"p","domain":{"id":"d1"}}}}}""",
                """{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"me","domain":{"name":"Default"},"password":"pw"}}},"scope":{"project":{"name":"p","domain":{"name":"Default"}}}}}""",
            ],
            _keystone.Requests.Select(r => r.GetRawText()));
    }

    [Fact]
    public async Task Ids_trusts_and_application_credentials_take_their_place()
    {
        await SignInAsync(Options with { UserId = "u1", TenantId = "p1" });
        await SignInAsync(Options with { UserId = "u1", TrustId = "t1", TenantId = "p1" });
        await SignInAsync(Options with { ApplicationCredentialId = "a1", ApplicationCredentialSecret = "s", Tenant = "p" });
        await SignInAsync(Options with { ApplicationCredentialName = "a", ApplicationCredentialSecret = "s", DomainId = "d" });
        Assert.Equal(
            [
                """{"auth":{"identity":{"methods":["password"],"password":{"user":{"id":"u1","password":"pw"}}},"scope":{"project":{"id":"p1"}}}}""",
                """{"auth":{"identity":{"methods":["password"],"password":{"user":{"id":"u1","password":"pw"}}},"scope":{"OS-TRUST:trust":{"id":"t1"}}}}""",
                """{"auth":{"identity":{"methods":["application_credential"],"application_credential":{"id":"a1","secret":"s"}}}}""",
                """{"auth":{"identity":{"methods":["application_credential"],"application_credential":{"name":"a","secret":"s","user":{"name":"me","domain":{"id":"d"}}}}}}""",
            ],
            _keystone.Requests.Select(r => r.GetRawText()));
    }

    [Fact]
    public async Task The_catalog_is_searched_by_region_and_kind_of_URL()
    {
        Assert.Equal("http://127.0.0.1:1/v1/AUTH_a", (await SignInAsync(Options)).StorageUrl);
        Assert.Equal("http://127.0.0.1:2/v1/AUTH_b", (await SignInAsync(Options with { EndpointType = "internal", Region = "two" })).StorageUrl);
        var missing = await Assert.ThrowsAsync<IOException>(() => SignInAsync(Options with { Region = "two" }));
        Assert.Contains("set region to one of one", missing.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<IOException>(() => SignInAsync(Options with { EndpointType = "admin" }));
    }

    [Fact]
    public async Task A_token_is_kept_until_shortly_before_its_end()
    {
        using var calls = new SwiftCalls(Options, _time);
        for (var i = 0; i < 3; i++) await calls.LocateAsync("k", None);
        Assert.Single(_keystone.Requests);
        _time.Now += TimeSpan.FromMinutes(54);
        await calls.LocateAsync("k", None);
        Assert.Single(_keystone.Requests);
        _time.Now += TimeSpan.FromMinutes(2);
        await Task.WhenAll(Enumerable.Range(0, 5).Select(async _ => await calls.LocateAsync("k", None)));
        Assert.Equal(2, _keystone.Requests.Count);
    }

    [Fact]
    public async Task A_refused_sign_in_says_what_to_look_at()
    {
        _keystone.Tokens = [null];
        var refused = await Assert.ThrowsAsync<IOException>(() => SignInAsync(Options));
        Assert.Contains("check the credentials", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("pw", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_that_the_store_refuses_is_renewed_once()
    {
        var swift = await SwiftServer.OpenAsync();
        _keystone.Endpoints = [("public", "one", swift.StorageUrl)];
        _keystone.Tokens = ["stale", swift.Token];
        var store = SwiftBlobStore.Open(Options with { Container = swift.Options.Container, Prefix = "keystone" }, new PartMemory(), _time);
        await store.ProbeAsync(None);
        Assert.Equal(2, _keystone.Requests.Count);
        ((IDisposable)store).Dispose();

        _keystone.Tokens = ["stale"];
        store = SwiftBlobStore.Open(Options with { Container = swift.Options.Container, Prefix = "keystone" }, new PartMemory(), _time);
        await Assert.ThrowsAsync<IOException>(async () => await store.ProbeAsync(None));
        Assert.Equal(4, _keystone.Requests.Count);
        ((IDisposable)store).Dispose();
    }

    [Fact]
    public void Settings_that_cannot_work_are_named()
    {
        Assert.Empty(Options.Validate());
        Assert.Equal(["AuthUrl", "Container", "Password", "Username"], new SwiftOptions().Validate().Select(p => p.Setting));
        Assert.Equal(["AuthVersion", "EndpointType"], (Options with { AuthVersion = 2, EndpointType = "publicURL" }).Validate().Select(p => p.Setting));
    }

    private async Task<SwiftToken> SignInAsync(SwiftOptions options)
    {
        using var http = new StoreHttp(new StoreHttpOptions { Name = "Swift", MaxTries = 1 }, TimeProvider.System);
        using var signIn = new SwiftSignIn(options, http, _time);
        return await signIn.GetAsync(None);
    }

    private sealed class SettableTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = System.GetUtcNow();

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
