using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Microsoft.Extensions.DependencyInjection;
using static Berth.Server.Tests.Access.AccessApp;

namespace Berth.Server.Tests.Access;

/// <summary>What tokens are worth: what was asked for, cut to the rights of now; and what becomes of forged ones.</summary>
public sealed class TokenServiceTests
{
    private readonly ManualTime _time = new();

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_token_holds_all_scopes_each_cut_to_the_rights_there(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var app = await StartAsync(database);
        await app.AddProjectAsync("dev", false, ("alice", BuiltInRoles.Developer));
        await app.AddProjectAsync("look", false, ("alice", BuiltInRoles.LimitedGuest));
        await app.AddProjectAsync("closed");
        const string Wanted = "repository:dev/x:pull,push,delete repository:look/x:pull,push repository:closed/x:pull repository:missing/x:pull";
        foreach (var query in new[] { "?scope=" + Uri.EscapeDataString(Wanted), "?" + string.Join('&', Wanted.Split(' ').Select(s => "scope=" + s)) })
        {
            foreach (var service in new[] { "", "&service=berth", "&service=harbor-registry" })
            {
                var token = await app.TokenAsync(query + service, Basic("alice", "alice-pw"));
                Assert.Equal("repository:dev/x:pull,push repository:look/x:pull", token.GetProperty("scope").GetString());
                Assert.Equal(HttpStatusCode.OK, await StatusAsync(app, "/v2/dev/x?action=push", token));
                Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(app, "/v2/dev/x?action=delete", token));
                Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(app, "/v2/look/x?action=push", token));
                Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(app, "/v2/closed/x?action=pull", token));
            }
        }
    }

    [Theory]
    [InlineData("repository:*:pull")]
    [InlineData("repository:dev/*:pull")]
    [InlineData("repository:dev/x*:pull")]
    [InlineData("repository:../dev/x:pull")]
    [InlineData("repository::pull")]
    public async Task Names_with_wildcards_are_refused_even_for_administrators(string scope)
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        await using var app = await StartAsync(database);
        await app.AddProjectAsync("dev", false, ("alice", BuiltInRoles.ProjectAdmin));
        foreach (var user in new[] { "alice", "admin" })
        {
            using var response = await app.GetAsync("/service/token?scope=" + Uri.EscapeDataString(scope), Basic(user, user + "-pw"));
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_lost_membership_ends_what_an_old_token_granted(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var app = await StartAsync(database);
        await app.AddProjectAsync("dev", false, ("alice", BuiltInRoles.Developer));
        var token = await app.TokenAsync("?scope=repository:dev/x:pull,push", Basic("alice", "alice-pw"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(app, "/v2/dev/x?action=push", token));
        await app.RemoveMemberAsync("alice");
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(app, "/v2/dev/x?action=push", token));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(app, "/v2/dev/x?action=pull", token));
        // The same holds for the password.
        using var byPassword = await app.GetAsync("/v2/dev/x?action=pull", Basic("alice", "alice-pw"));
        Assert.Equal(HttpStatusCode.Forbidden, byPassword.StatusCode);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Private_and_missing_names_look_alike_to_strangers(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var app = await StartAsync(database);
        await app.AddProjectAsync("secret");
        var anonymous = await app.TokenAsync("?scope=repository:secret/x:pull repository:hidden/x:pull");
        Assert.Equal("", anonymous.GetProperty("scope").GetString());
        foreach (var authorization in new[] { null, BearerOf(anonymous), Basic("alice", "alice-pw") })
        {
            var seen = new List<string>();
            foreach (var name in new[] { "secret", "hidden" })
            {
                using var response = await app.GetAsync($"/v2/{name}/x?action=pull", authorization);
                var headers = string.Join('\n', response.Headers.Where(h => h.Key != "Date").Select(h => $"{h.Key}: {string.Join(',', h.Value)}"));
                seen.Add($"{response.StatusCode}\n{headers}\n{await response.Content.ReadAsStringAsync()}".Replace(name, "NAME", StringComparison.Ordinal));
            }
            Assert.Equal(seen[0], seen[1]);
        }
    }

    [Fact]
    public async Task A_forged_token_opens_nothing()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        await using var app = await StartAsync(database);
        await app.AddProjectAsync("dev", false, ("alice", BuiltInRoles.ProjectAdmin));
        var good = (await app.TokenAsync("?scope=repository:dev/x:pull", Basic("alice", "alice-pw"))).GetProperty("token").GetString()!;
        var (header, claims, signature) = (PartOf(good, 0), PartOf(good, 1), good.Split('.')[2]);
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var stolen = ECDsa.Create(PublicPointOf(await app.Http.GetStringAsync(new Uri("/service/token/jwks", UriKind.Relative))));
        Func<byte[], byte[]> byStranger = data => stranger.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        var publicKey = stolen.ExportSubjectPublicKeyInfo();

        JsonObject With(JsonObject json, string key, JsonNode? value)
        {
            var copy = (JsonObject)json.DeepClone();
            copy[key] = value;
            return copy;
        }

        string Keep(JsonObject h, JsonObject c) => TestTokens.Sign(h, c, _ => []) + signature;
        var wider = With(claims, "access", new JsonArray(new JsonObject { ["type"] = "repository", ["name"] = "dev/x", ["actions"] = new JsonArray("pull", "push", "delete") }));
        var forgeries = new Dictionary<string, string>
        {
            ["alg none"] = TestTokens.Sign(With(header, "alg", "none"), claims, _ => []),
            ["alg None with signature"] = Keep(With(header, "alg", "None"), claims),
            ["no alg"] = Keep(new JsonObject { ["kid"] = header["kid"]!.DeepClone() }, claims),
            ["HS256 under the public key"] = TestTokens.Sign(With(header, "alg", "HS256"), claims, data => HMACSHA256.HashData(publicKey, data)),
            ["another's key under our id"] = TestTokens.Sign(header, claims, byStranger),
            ["unknown kid"] = TestTokens.Sign(With(header, "kid", "unknown"), claims, byStranger),
            ["no kid"] = TestTokens.Sign(new JsonObject { ["alg"] = "ES256" }, claims, byStranger),
            ["key inside"] = TestTokens.Sign(With(header, "jwk", TestTokens.Jwk(stranger, "P-256")), claims, byStranger),
            ["wider grants"] = Keep(header, wider),
            ["another subject"] = Keep(header, With(claims, "sub", "user:1")),
            ["later end"] = Keep(header, With(claims, "exp", claims["exp"]!.GetValue<long>() + 3600)),
            ["unknown crit"] = Keep(With(header, "crit", new JsonArray("x")), claims),
            ["no signature"] = good[..(good.LastIndexOf('.') + 1)],
            ["cut"] = good[..^2],
            ["empty"] = "..",
        };
        foreach (var (what, token) in forgeries)
        {
            using var response = await app.GetAsync("/v2/dev/x?action=pull", new AuthenticationHeaderValue("Bearer", token));
            Assert.True(response.StatusCode == HttpStatusCode.Unauthorized, what);
            Assert.Contains("error=\"invalid_token\"", response.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        }
        using var still = await app.GetAsync("/v2/dev/x?action=pull", new AuthenticationHeaderValue("Bearer", good));
        Assert.Equal(HttpStatusCode.OK, still.StatusCode);
    }

    [Fact]
    public async Task Tokens_of_another_service_another_installation_another_time_open_nothing()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        await using var other = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        var secret = Convert.ToBase64String(new byte[32]);
        await using var app = await StartAsync(database, new AccessOptions { SecretKey = secret });
        await using var elsewhere = await StartAsync(other, new AccessOptions { SecretKey = secret });
        var foreign = await elsewhere.TokenAsync("?scope=repository:x:pull", Basic("alice", "alice-pw"));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(app, "/v2/", foreign));
        // The same keys, but another service: two registries that share a database of keys by mistake.
        await using var namesake = await AccessApp.StartAsync(database.Current, _time, new AccessOptions { SecretKey = secret, Service = "other" });
        var token = await app.TokenAsync("?scope=repository:x:pull", Basic("alice", "alice-pw"));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(namesake, "/v2/", token));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(app, "/v2/", token));
        _time.Advance(TimeSpan.FromMinutes(30));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(app, "/v2/", token));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Keys_rotate_and_old_tokens_live_on_until_their_end(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        var options = new AccessOptions { SecretKey = Convert.ToBase64String(new byte[32]), RefreshTokenLifetime = TimeSpan.FromDays(40) };
        await using var app = await StartAsync(database, options);
        await using var replica = kind == DatabaseKind.Postgres ? await AccessApp.StartAsync(database.Open(), _time, options) : null;
        var keys = app.Services.GetRequiredService<SigningKeys>();
        var old = await app.TokenAsync("?offline_token=true", Basic("alice", "alice-pw"));
        if (replica is not null) Assert.Equal(HttpStatusCode.OK, await StatusAsync(replica, "/v2/", old));

        await keys.RotateAsync(isRevoking: false, null, CancellationToken.None);
        var next = await app.TokenAsync("", Basic("alice", "alice-pw"));
        Assert.NotEqual(KeyOf(old), KeyOf(next));
        Assert.Equal(2, await KeyCountAsync(app));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(app, "/v2/", old));
        if (replica is not null)
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(replica, "/v2/", next));
            await Eventually.TrueAsync(async () => KeyOf(await replica.TokenAsync("", Basic("alice", "alice-pw"))) == KeyOf(next), "the replica signs with the new key");
        }

        // The refresh token that the first key signed has ended: with the next rotation the key goes.
        _time.Advance(TimeSpan.FromDays(41));
        await keys.RotateAsync(isRevoking: false, null, CancellationToken.None);
        Assert.Equal(2, await KeyCountAsync(app));
        using var refreshed = await app.PostAsync(("grant_type", "refresh_token"), ("refresh_token", old.GetProperty("refresh_token").GetString()!));
        Assert.Equal(HttpStatusCode.Unauthorized, refreshed.StatusCode);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Revoking_ends_every_token_of_other_keys_at_once(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var app = await StartAsync(database);
        var old = await app.TokenAsync("?offline_token=true", Basic("alice", "alice-pw"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(app, "/v2/", old));
        await app.Services.GetRequiredService<SigningKeys>().RotateAsync(isRevoking: true, null, CancellationToken.None);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(app, "/v2/", old));
        using var refreshed = await app.PostAsync(("grant_type", "refresh_token"), ("refresh_token", old.GetProperty("refresh_token").GetString()!));
        Assert.Equal(HttpStatusCode.Unauthorized, refreshed.StatusCode);
        Assert.Equal(1, await KeyCountAsync(app));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(app, "/v2/", await app.TokenAsync("", Basic("alice", "alice-pw"))));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_key_that_has_come_of_age_is_replaced_once_however_many_ask(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var app = await StartAsync(database, new AccessOptions { SigningKeyLifetime = TimeSpan.FromDays(7) });
        var first = KeyOf(await app.TokenAsync("", Basic("alice", "alice-pw")));
        _time.Advance(TimeSpan.FromDays(6));
        Assert.Equal(first, KeyOf(await app.TokenAsync("", Basic("alice", "alice-pw"))));
        _time.Advance(TimeSpan.FromDays(2));
        var tokens = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => app.TokenAsync("", Basic("alice", "alice-pw"))));
        Assert.Single(tokens.Select(KeyOf).Distinct(), k => k != first);
        Assert.Equal(2, await KeyCountAsync(app));
    }

    private static ECParameters PublicPointOf(string jwks)
    {
        using var document = JsonDocument.Parse(jwks);
        var key = document.RootElement.GetProperty("keys")[0];
        return new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint { X = key.GetProperty("x").GetBytesFromBase64Url(), Y = key.GetProperty("y").GetBytesFromBase64Url() },
        };
    }

    private static JsonObject PartOf(string token, int part) =>
        (JsonObject)JsonNode.Parse(Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(token.Split('.')[part])))!;

    private static string KeyOf(JsonElement answer) => PartOf(answer.GetProperty("token").GetString()!, 0)["kid"]!.GetValue<string>();

    private static async Task<int> KeyCountAsync(AccessApp app)
    {
        using var response = await app.GetAsync("/service/token/jwks");
        return (await JsonOf(response)).GetProperty("keys").GetArrayLength();
    }

    private static async Task<HttpStatusCode> StatusAsync(AccessApp app, string path, JsonElement token)
    {
        using var response = await app.GetAsync(path, BearerOf(token));
        return response.StatusCode;
    }

    private async Task<AccessApp> StartAsync(TestDatabase database, AccessOptions? options = null)
    {
        var app = await AccessApp.StartAsync(database.Current, _time, options, projects: new Berth.Server.Projects.ProjectOptions { CreateOnPush = Berth.Server.Projects.ProjectCreators.Nobody });
        Assert.True(await app.Users.AddAsync("admin", "admin-pw", isAdmin: true, CancellationToken.None));
        Assert.True(await app.Users.AddAsync("alice", "alice-pw", isAdmin: false, CancellationToken.None));
        return app;
    }
}

internal static class JsonBytes
{
    public static byte[] GetBytesFromBase64Url(this JsonElement element) => System.Buffers.Text.Base64Url.DecodeFromChars(element.GetString());
}
