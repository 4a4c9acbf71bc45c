using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Http;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using static Berth.Server.Tests.Access.AccessApp;

namespace Berth.Server.Tests.Access;

/// <summary>Mode <c>local</c> over HTTP, as clients use it.</summary>
public sealed class TokenEndpointTests
{
    private readonly ManualTime _time = new();

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_client_follows_the_challenge_to_a_token_and_back(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var app = await StartAsync(database);
        // 1. The version check tells where to go.
        using var challenge = await app.GetAsync("/v2/");
        Assert.Equal(HttpStatusCode.Unauthorized, challenge.StatusCode);
        Assert.Equal($"Bearer realm=\"{app.Address}/service/token\",service=\"berth\"", challenge.Headers.WwwAuthenticate.ToString());
        using var refused = await app.GetAsync("/v2/library/debian?action=push");
        Assert.Equal(
            $"Bearer realm=\"{app.Address}/service/token\",service=\"berth\",scope=\"repository:library/debian:push\"",
            refused.Headers.WwwAuthenticate.ToString());

        // 2. A password buys a token.
        var answer = await app.TokenAsync("?account=alice&service=berth&scope=repository:library/debian:pull,push", Basic("alice", "alice-pw"));
        Assert.Equal(answer.GetProperty("token").GetString(), answer.GetProperty("access_token").GetString());
        Assert.Equal(1800, answer.GetProperty("expires_in").GetInt32());
        Assert.Equal(_time.GetUtcNow(), answer.GetProperty("issued_at").GetDateTimeOffset());
        Assert.EndsWith("Z", answer.GetProperty("issued_at").GetString(), StringComparison.Ordinal);
        Assert.False(answer.TryGetProperty("refresh_token", out _));

        // 3. The token opens what it was asked for, until it ends.
        await ExpectAsync(HttpStatusCode.OK, app, "/v2/", BearerOf(answer));
        await ExpectAsync(HttpStatusCode.OK, app, "/v2/library/debian?action=push", BearerOf(answer));
        using var elsewhere = await app.GetAsync("/v2/library/other?action=pull", BearerOf(answer));
        Assert.Contains("error=\"insufficient_scope\"", elsewhere.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        _time.Advance(TimeSpan.FromMinutes(30));
        using var late = await app.GetAsync("/v2/library/debian?action=pull", BearerOf(answer));
        Assert.Contains("error=\"invalid_token\"", late.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Members_do_what_their_role_allows_and_administrators_everything(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var app = await StartAsync(database);
        await app.AddProjectAsync("a", isPublic: false, ("alice", BuiltInRoles.Developer));
        var alice = Basic("alice", "alice-pw");
        await ExpectAsync(HttpStatusCode.OK, app, "/v2/", alice);
        await ExpectAsync(HttpStatusCode.OK, app, "/v2/a/b/c?action=pull", alice);
        await ExpectAsync(HttpStatusCode.OK, app, "/v2/a/b/c?action=push", alice);
        await ExpectAsync(HttpStatusCode.Forbidden, app, "/v2/a/b/c?action=delete", alice);
        await ExpectAsync(HttpStatusCode.OK, app, "/v2/_catalog", alice);
        await ExpectAsync(HttpStatusCode.OK, app, "/v2/a/b/c?action=delete", Basic("admin", "admin-pw"));
        await ExpectAsync(HttpStatusCode.Unauthorized, app, "/v2/a/b/c?action=pull", Basic("alice", "ALICE-PW"));
        await ExpectAsync(HttpStatusCode.Unauthorized, app, "/v2/a/b/c?action=pull", Basic("Alice", "alice-pw"));

        const string All = "?scope=repository:a/b/c:*&scope=registry:catalog:* vault:x:open";
        var forAlice = await app.TokenAsync(All, alice);
        Assert.Equal("repository:a/b/c:pull,push registry:catalog:*", forAlice.GetProperty("scope").GetString());
        await ExpectAsync(HttpStatusCode.Unauthorized, app, "/v2/a/b/c?action=delete", BearerOf(forAlice));
        await ExpectAsync(HttpStatusCode.OK, app, "/v2/_catalog", BearerOf(forAlice));
        var forAdmin = await app.TokenAsync(All, Basic("admin", "admin-pw"));
        Assert.Equal("repository:a/b/c:* registry:catalog:*", forAdmin.GetProperty("scope").GetString());
        await ExpectAsync(HttpStatusCode.OK, app, "/v2/a/b/c?action=delete", BearerOf(forAdmin));
        // A token is worth no more than what it was asked for, also in the hands of an administrator.
        await ExpectAsync(HttpStatusCode.Unauthorized, app, "/v2/other?action=pull", BearerOf(forAdmin));
    }

    [Fact]
    public async Task Wrong_credentials_buy_no_token_and_none_buy_one_for_what_is_public()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        await using var app = await StartAsync(database);
        await app.AddProjectAsync("open", isPublic: true);
        var anonymous = await app.TokenAsync("?scope=repository:open/x:pull,push repository:x:pull");
        Assert.Equal("repository:open/x:pull", anonymous.GetProperty("scope").GetString());
        await ExpectAsync(HttpStatusCode.OK, app, "/v2/open/x?action=pull", BearerOf(anonymous));
        await ExpectAsync(HttpStatusCode.Unauthorized, app, "/v2/open/x?action=push", BearerOf(anonymous));
        await ExpectAsync(HttpStatusCode.Unauthorized, app, "/v2/x?action=pull", BearerOf(anonymous));
        foreach (var authorization in new[] { Basic("alice", "wrong"), Basic("nobody", "x"), new AuthenticationHeaderValue("Bearer", "x") })
        {
            using var response = await app.GetAsync("/service/token?service=berth&scope=repository:x:pull", authorization);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.Equal("Basic realm=\"Berth\"", response.Headers.WwwAuthenticate.ToString());
            Assert.Equal("UNAUTHORIZED", (await JsonOf(response)).GetProperty("errors")[0].GetProperty("code").GetString());
        }
        await ExpectAsync(HttpStatusCode.Unauthorized, app, "/v2/x?action=pull");
        await ExpectAsync(HttpStatusCode.Unauthorized, app, "/v2/_catalog");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_refresh_token_serves_until_the_password_changes(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var app = await StartAsync(database);
        using var offline = await app.PostAsync(("grant_type", "password"), ("service", "berth"), ("client_id", "test"), ("access_type", "offline"), ("username", "alice"), ("password", "alice-pw"));
        var first = await JsonOf(offline);
        Assert.Equal("", first.GetProperty("scope").GetString());
        var refreshToken = first.GetProperty("refresh_token").GetString()!;
        var byGet = await app.TokenAsync("?service=berth&offline_token=true", Basic("alice", "alice-pw"));
        Assert.NotEqual(refreshToken, byGet.GetProperty("refresh_token").GetString());
        _time.Advance(TimeSpan.FromDays(80));

        async Task<HttpResponseMessage> Refresh() =>
            await app.PostAsync(("grant_type", "refresh_token"), ("service", "berth"), ("client_id", "test"), ("refresh_token", refreshToken), ("scope", "repository:x:pull repository:y:delete"));
        using var refreshed = await Refresh();
        Assert.Equal(HttpStatusCode.OK, refreshed.StatusCode);
        var second = await JsonOf(refreshed);
        Assert.Equal(refreshToken, second.GetProperty("refresh_token").GetString());
        Assert.Equal("repository:x:pull", second.GetProperty("scope").GetString());
        await ExpectAsync(HttpStatusCode.OK, app, "/v2/x?action=pull", BearerOf(second));
        // It opens nothing by itself.
        await ExpectAsync(HttpStatusCode.Unauthorized, app, "/v2/", new AuthenticationHeaderValue("Bearer", refreshToken));

        await ExpectAsync(HttpStatusCode.OK, app, "/v2/", Basic("alice", "alice-pw"));
        Assert.True(await app.Users.SetPasswordAsync("alice", "new-pw", CancellationToken.None));
        using var revoked = await Refresh();
        Assert.Equal(HttpStatusCode.Unauthorized, revoked.StatusCode);
        Assert.Equal("invalid_grant", (await JsonOf(revoked)).GetProperty("error").GetString());
        // The old password and the access tokens that it bought are forgotten at once.
        await ExpectAsync(HttpStatusCode.Unauthorized, app, "/v2/", Basic("alice", "alice-pw"));
        await ExpectAsync(HttpStatusCode.Unauthorized, app, "/v2/x?action=pull", BearerOf(second));
        await ExpectAsync(HttpStatusCode.OK, app, "/v2/", Basic("alice", "new-pw"));
    }

    [Fact]
    public async Task A_refresh_token_ends_after_its_lifetime_and_an_access_token_is_none()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        await using var app = await StartAsync(database, new AccessOptions { RefreshTokenLifetime = TimeSpan.FromDays(1) });
        var answer = await app.TokenAsync("?offline_token=true", Basic("alice", "alice-pw"));
        async Task<HttpStatusCode> Refresh(string property)
        {
            using var response = await app.PostAsync(("grant_type", "refresh_token"), ("refresh_token", answer.GetProperty(property).GetString()!));
            return response.StatusCode;
        }

        Assert.Equal(HttpStatusCode.OK, await Refresh("refresh_token"));
        Assert.Equal(HttpStatusCode.Unauthorized, await Refresh("access_token"));
        _time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(HttpStatusCode.Unauthorized, await Refresh("refresh_token"));
    }

    [Fact]
    public async Task A_removed_user_and_a_lost_right_take_effect_on_tokens()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        await using var app = await StartAsync(database);
        var answer = await app.TokenAsync("?scope=repository:x:pull", Basic("alice", "alice-pw"));
        await ExpectAsync(HttpStatusCode.OK, app, "/v2/x?action=pull", BearerOf(answer));
        Assert.True(await app.Users.RemoveAsync("alice", CancellationToken.None));
        await ExpectAsync(HttpStatusCode.Unauthorized, app, "/v2/x?action=pull", BearerOf(answer));
    }

    [Theory]
    [InlineData("?service=another")]
    [InlineData("?scope=repository:x")]
    [InlineData("?scope=repository:UPPER:pull")]
    [InlineData("?scope=repository:x:pull&scope=nonsense")]
    public async Task Malformed_requests_are_400(string query)
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        await using var app = await StartAsync(database);
        using var response = await app.GetAsync("/service/token" + query, Basic("alice", "alice-pw"));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("invalid_request", (await JsonOf(response)).GetProperty("error").GetString());
    }

    [Fact]
    public async Task Malformed_posts_are_400_and_wrong_passwords_401()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        await using var app = await StartAsync(database);
        async Task Expect(HttpStatusCode status, string error, HttpContent body)
        {
            using var response = await app.Http.PostAsync(new Uri("/service/token", UriKind.Relative), body);
            Assert.Equal(status, response.StatusCode);
            Assert.Equal(error, (await JsonOf(response)).GetProperty("error").GetString());
        }

        StringContent Form(string text) => new(text, Encoding.UTF8, "application/x-www-form-urlencoded");
        await Expect(HttpStatusCode.BadRequest, "invalid_request", new StringContent("{}", Encoding.UTF8, "application/json"));
        await Expect(HttpStatusCode.BadRequest, "invalid_request", Form("grant_type=password&scope=nonsense"));
        await Expect(HttpStatusCode.BadRequest, "invalid_request", Form("x=" + new string('y', 100_000)));
        await Expect(HttpStatusCode.BadRequest, "invalid_request", Form(string.Concat(Enumerable.Range(0, 500).Select(i => $"k{i}=v&"))));
        await Expect(HttpStatusCode.BadRequest, "unsupported_grant_type", Form("grant_type=authorization_code&code=x"));
        await Expect(HttpStatusCode.BadRequest, "unsupported_grant_type", Form(""));
        await Expect(HttpStatusCode.Unauthorized, "invalid_grant", Form("grant_type=password&username=alice&password=wrong"));
        await Expect(HttpStatusCode.Unauthorized, "invalid_grant", Form("grant_type=refresh_token&refresh_token=a.b.c"));
        await Expect(HttpStatusCode.Unauthorized, "invalid_grant", Form("grant_type=refresh_token"));
    }

    [Fact]
    public async Task Guessing_ends_in_429_with_a_time_to_wait()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        await using var app = await StartAsync(database, new AccessOptions { FailuresBeforeDelay = 3, MaxFailureDelay = TimeSpan.Zero });
        for (var i = 0; i < 4; i++) await ExpectAsync(HttpStatusCode.Unauthorized, app, "/service/token", Basic("alice", "guess" + i));
        using var response = await app.GetAsync("/service/token", Basic("alice", "alice-pw"));
        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        Assert.Equal("TOOMANYREQUESTS", (await JsonOf(response)).GetProperty("errors")[0].GetProperty("code").GetString());
        Assert.Equal(TimeSpan.FromSeconds(1), response.Headers.RetryAfter!.Delta);
        Assert.Equal((4, 1), (app.Counters.SignInsFailed, app.Counters.SignInsThrottled));
        _time.Advance(TimeSpan.FromSeconds(1));
        await ExpectAsync(HttpStatusCode.OK, app, "/service/token", Basic("alice", "alice-pw"));
    }

    [Theory]
    [InlineData("https://registry.example/", "", "https://registry.example/service/token")]
    [InlineData("https://registry.example", "/sub", "https://registry.example/sub/service/token")]
    [InlineData(null, "/sub", "ADDRESS/sub/service/token")]
    public async Task The_realm_is_the_public_address_with_the_prefix(string? publicUrl, string prefix, string realm)
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        await using var app = await StartAsync(database, http: new HttpOptions { PublicUrl = publicUrl, Prefix = prefix });
        using var response = await app.GetAsync(prefix + "/v2/");
        var expected = realm.Replace("ADDRESS", app.Address, StringComparison.Ordinal);
        Assert.Equal($"Bearer realm=\"{expected}\",service=\"berth\"", response.Headers.WwwAuthenticate.ToString());
        await ExpectAsync(HttpStatusCode.OK, app, prefix + "/service/token", Basic("alice", "alice-pw"));
    }

    [Fact]
    public async Task Another_implementation_verifies_our_tokens_with_the_published_keys()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        await using var app = await StartAsync(database);
        var answer = await app.TokenAsync("?scope=repository:a/b:pull", Basic("alice", "alice-pw"));
        using var published = await app.GetAsync("/service/token/jwks");
        Assert.Equal("application/jwk-set+json", published.Content.Headers.ContentType?.MediaType);
        var result = await new JsonWebTokenHandler().ValidateTokenAsync(answer.GetProperty("token").GetString(), new TokenValidationParameters
        {
            IssuerSigningKeys = new Microsoft.IdentityModel.Tokens.JsonWebKeySet(await published.Content.ReadAsStringAsync()).GetSigningKeys(),
            ValidIssuer = "berth",
            ValidAudience = "berth",
            ValidAlgorithms = ["ES256"],
            LifetimeValidator = (from, until, _, _) => from <= _time.GetUtcNow() && until > _time.GetUtcNow(),
        });
        Assert.True(result.IsValid, result.Exception?.Message);
        var token = (JsonWebToken)result.SecurityToken;
        Assert.Equal("user:2", token.Subject);
        Assert.True(token.TryGetPayloadValue<JsonElement>("access", out var access));
        Assert.Equal("""[{"type":"repository","name":"a/b","actions":["pull"]}]""", access.GetRawText());
    }

    [Fact]
    public async Task Replicas_agree_on_the_keys_and_take_each_others_tokens()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Postgres);
        var options = new AccessOptions { SecretKey = Convert.ToBase64String(new byte[32]) };
        await using var one = await StartAsync(database, options);
        var apps = new List<AccessApp> { one };
        for (var i = 0; i < 3; i++) apps.Add(await AccessApp.StartAsync(database.Open(), _time, options));
        var tokens = await Task.WhenAll(apps.Select(a => a.TokenAsync("?scope=repository:x:pull", Basic("alice", "alice-pw"))));
        foreach (var app in apps)
        {
            foreach (var token in tokens) await ExpectAsync(HttpStatusCode.OK, app, "/v2/x?action=pull", BearerOf(token));
        }

        // A password that one replica still remembers buys no token once it has been changed at another.
        var old = Basic("alice", "alice-pw");
        await apps[1].Users.SetPasswordAsync("alice", "new-pw", CancellationToken.None);
        await ExpectAsync(HttpStatusCode.Unauthorized, apps[2], "/service/token?offline_token=true", old);
        _time.Advance(TimeSpan.FromSeconds(60));
        foreach (var app in apps) await ExpectAsync(HttpStatusCode.Unauthorized, app, "/v2/", old);
        foreach (var app in apps.Skip(1)) await app.DisposeAsync();
    }

    [Fact]
    public async Task A_token_survives_a_restart_and_another_secret_key_is_reported()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        var options = new AccessOptions { SecretKey = Convert.ToBase64String(new byte[32]) };
        JsonElement answer;
        await using (var app = await StartAsync(database, options)) answer = await app.TokenAsync("?scope=repository:x:pull", Basic("alice", "alice-pw"));
        await using (var app = await AccessApp.StartAsync(database.Current, _time, options)) await ExpectAsync(HttpStatusCode.OK, app, "/v2/x?action=pull", BearerOf(answer));
        await using var stranger = await AccessApp.StartAsync(database.Current, _time);
        await ExpectAsync(HttpStatusCode.InternalServerError, stranger, "/v2/x?action=pull", BearerOf(answer));
    }

    private async Task<AccessApp> StartAsync(TestDatabase database, AccessOptions? options = null, HttpOptions? http = null)
    {
        var app = await AccessApp.StartAsync(database.Current, _time, options, http);
        Assert.True(await app.Users.AddAsync("admin", "admin-pw", isAdmin: true, CancellationToken.None));
        Assert.True(await app.Users.AddAsync("alice", "alice-pw", isAdmin: false, CancellationToken.None));
        return app;
    }

    private static async Task ExpectAsync(HttpStatusCode status, AccessApp app, string path, AuthenticationHeaderValue? authorization = null)
    {
        using var response = await app.GetAsync(path, authorization);
        Assert.True(status == response.StatusCode, $"{path}: {response.StatusCode} {await response.Content.ReadAsStringAsync()}");
    }
}
