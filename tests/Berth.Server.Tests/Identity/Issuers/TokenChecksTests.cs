using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Server.Identity.Issuers;
using Berth.Server.Tests.Access;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Tests.Identity.Issuers;

public sealed class TokenChecksTests : IAsyncLifetime
{
    private ScriptedIssuer _peer = null!;
    private Issuer _issuer = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _peer = await ScriptedIssuer.StartAsync();
        _issuer = new Issuer(_peer.Address, _peer.Http, _peer.Time);
    }

    public ValueTask DisposeAsync()
    {
        _issuer.Dispose();
        return _peer.DisposeAsync();
    }

    [Theory]
    [InlineData("RS256")]
    [InlineData("RS512")]
    [InlineData("PS256")]
    public async Task A_token_in_order_is_accepted(string algorithm)
    {
        var verdict = await CheckAsync(_peer.Sign(_peer.Claims("berth"), algorithm: algorithm));
        Assert.Null(verdict.Problem);
        Assert.Equal("somebody", verdict.Claims.GetProperty("sub").GetString());
        Assert.Equal(_peer.Time.GetUtcNow().AddMinutes(5).ToUnixTimeSeconds(), verdict.ExpiresAt.ToUnixTimeSeconds());
    }

    public static TheoryData<string, string> WrongClaims() => new()
    {
        { "iss", "\"https://evil.example\"" }, { "iss", "null" }, { "aud", "\"other\"" }, { "aud", "[\"other\"]" }, { "aud", "null" }, { "aud", "{}" },
        { "sub", "null" }, { "sub", "\"\"" }, { "sub", "7" }, { "exp", "null" }, { "exp", "\"tomorrow\"" }, { "exp", "-1" }, { "exp", "1" }, { "exp", "1e300" },
        { "nbf", "4102444800" }, { "nbf", "\"now\"" }, { "iat", "4102444800" },
    };

    [Theory]
    [MemberData(nameof(WrongClaims))]
    public async Task One_wrong_claim_is_enough_to_refuse(string claim, string json)
    {
        var claims = _peer.Claims("berth");
        claims[claim] = JsonNode.Parse(json);
        if (json == "null") claims.Remove(claim);
        Assert.NotNull((await CheckAsync(_peer.Sign(claims))).Problem);
    }

    [Fact]
    public async Task Tokens_end_and_begin_with_a_minute_of_grace()
    {
        var token = _peer.Sign(_peer.Claims("berth"));
        _peer.Time.Advance(TimeSpan.FromMinutes(5) + TimeSpan.FromSeconds(59));
        Assert.Null((await CheckAsync(token)).Problem);
        _peer.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("it is expired", (await CheckAsync(token)).Problem);
    }

    [Fact]
    public async Task Neither_none_nor_a_public_key_as_shared_secret_signs()
    {
        var claims = _peer.Claims("berth");
        var pem = Encoding.ASCII.GetBytes(_peer.Keys["one"].ExportSubjectPublicKeyInfoPem());
        foreach (var (algorithm, sign) in new (string, Func<byte[], byte[]>)[]
        {
            ("none", _ => [0]), ("None", _ => [0]), ("", _ => [0]), ("HS256", data => HMACSHA256.HashData(pem, data)),
            ("HS256", data => HMACSHA256.HashData(_peer.Keys["one"].ExportSubjectPublicKeyInfo(), data)), ("RS256", data => HMACSHA256.HashData(pem, data)),
        })
        {
            var token = TestTokens.Sign(new JsonObject { ["alg"] = algorithm, ["kid"] = "one" }, claims, sign);
            Assert.NotNull((await CheckAsync(token)).Problem);
            Assert.NotNull((await CheckAsync(token[..(token.LastIndexOf('.') + 1)])).Problem);
        }
    }

    [Fact]
    public async Task A_key_of_the_token_itself_is_not_believed()
    {
        using var own = RSA.Create(2048);
        var header = new JsonObject { ["alg"] = "RS256", ["jwk"] = TestTokens.Jwk(own, "one") };
        Assert.NotNull((await CheckAsync(TestTokens.Sign(header, _peer.Claims("berth"), TestTokens.With(own, "RS256")))).Problem);
        header["kid"] = "one";
        Assert.Equal("its signature is wrong", (await CheckAsync(TestTokens.Sign((JsonObject)header.DeepClone(), _peer.Claims("berth"), TestTokens.With(own, "RS256")))).Problem);
    }

    [Fact]
    public async Task A_rotated_key_works_at_once_and_made_up_ids_do_not_make_us_ask_again_and_again()
    {
        Assert.Null((await CheckAsync(_peer.Sign(_peer.Claims("berth")))).Problem);
        _peer.Time.Advance(TimeSpan.FromSeconds(11));
        _peer.Keys["two"] = RSA.Create(2048);
        Assert.Null((await CheckAsync(_peer.Sign(_peer.Claims("berth"), "two"))).Problem);
        Assert.Equal(2, _peer.KeyRequests);
        using var stranger = RSA.Create(2048);
        for (var i = 0; i < 20; i++)
        {
            var token = TestTokens.Sign(new JsonObject { ["alg"] = "RS256", ["kid"] = $"made-up-{i}" }, _peer.Claims("berth"), TestTokens.With(stranger, "RS256"));
            Assert.Equal("the issuer has no key of its id", (await CheckAsync(token)).Problem);
        }
        Assert.Equal(2, _peer.KeyRequests);
    }

    [Fact]
    public async Task A_withdrawn_key_is_gone_after_an_hour_and_an_issuer_that_is_down_is_lived_with_for_a_day()
    {
        Assert.Null((await CheckAsync(_peer.Sign(_peer.Claims("berth")))).Problem);
        _peer.IsDown = true;
        _peer.Time.Advance(TimeSpan.FromHours(23));
        Assert.Null((await CheckAsync(_peer.Sign(_peer.Claims("berth")))).Problem);
        _peer.Time.Advance(TimeSpan.FromHours(2));
        await Assert.ThrowsAsync<IssuerUnavailableException>(() => CheckAsync(_peer.Sign(_peer.Claims("berth"))));
        _peer.IsDown = false;
        _peer.Time.Advance(TimeSpan.FromSeconds(11));
        var old = _peer.Sign(_peer.Claims("berth"));
        _peer.Keys["two"] = RSA.Create(2048);
        _peer.Keys.Remove("one");
        Assert.NotNull((await CheckAsync(old)).Problem);
    }

    [Fact]
    public async Task An_id_token_needs_its_nonce_its_time_and_its_client()
    {
        var demands = new TokenDemands("berth", IsIdToken: true, "n");
        async Task<string?> ProblemAsync(Action<JsonObject> change, TokenDemands? other = null)
        {
            var claims = _peer.Claims("berth");
            claims["nonce"] = "n";
            change(claims);
            return (await _issuer.VerifyAsync(_peer.Sign(claims), other ?? demands, Ct)).Problem;
        }

        Assert.Null(await ProblemAsync(_ => { }));
        Assert.Null(await ProblemAsync(c => c["azp"] = "berth"));
        Assert.Null(await ProblemAsync(c => (c["aud"], c["azp"]) = (new JsonArray("berth", "other"), "berth")));
        Assert.NotNull(await ProblemAsync(c => c["aud"] = new JsonArray("berth", "other")));
        Assert.NotNull(await ProblemAsync(c => c["azp"] = "other"));
        Assert.NotNull(await ProblemAsync(c => c["nonce"] = "other"));
        Assert.NotNull(await ProblemAsync(c => c.Remove("nonce")));
        Assert.NotNull(await ProblemAsync(c => c.Remove("nonce"), demands with { Nonce = null }));
        Assert.NotNull(await ProblemAsync(c => c.Remove("iat")));
    }

    [Fact]
    public async Task A_document_of_another_issuer_or_without_keys_is_refused()
    {
        _peer.Document["issuer"] = "https://evil.example";
        await Assert.ThrowsAsync<IssuerUnavailableException>(() => CheckAsync(_peer.Sign(_peer.Claims("berth"))));
        _peer.Document["issuer"] = _peer.Address + "/";
        _peer.Time.Advance(TimeSpan.FromSeconds(11));
        var claims = _peer.Claims("berth");
        Assert.Equal("its issuer is another", (await CheckAsync(_peer.Sign(claims))).Problem);
        claims["iss"] = _peer.Address + "/";
        Assert.Null((await CheckAsync(_peer.Sign(claims))).Problem);
        _peer.Document["jwks_uri"] = "file:///etc/passwd";
        using var other = new Issuer(_peer.Address, _peer.Http, _peer.Time);
        await Assert.ThrowsAsync<IssuerUnavailableException>(async () => await other.GetMetadataAsync(Ct));
    }

    [Fact]
    public async Task Answers_that_are_huge_moved_or_no_json_are_refused()
    {
        foreach (var answer in new Func<HttpContext, Task>[]
        {
            c => c.Response.WriteAsync("[]"), c => c.Response.WriteAsync("<html>"), c => c.Response.Body.WriteAsync(new byte[IssuerHttp.MaxAnswerBytes + 1]).AsTask(),
            c => { c.Response.Redirect(_peer.Address + "/keys"); return Task.CompletedTask; },
        })
        {
            _peer.Paths[IssuerMetadata.Path] = answer;
            using var issuer = new Issuer(_peer.Address, _peer.Http, _peer.Time);
            await Assert.ThrowsAsync<IssuerUnavailableException>(async () => await issuer.GetMetadataAsync(Ct));
        }
    }

    [Theory]
    [InlineData("groups", "a,b")]
    [InlineData("one", "x")]
    [InlineData("realm_access.roles", "r")]
    [InlineData("kubernetes.io.namespace", "prod")]
    [InlineData("kubernetes.io.serviceaccount.name", "builder")]
    [InlineData("https://example.com/groups", "g")]
    [InlineData("number", "7")]
    [InlineData("flag", "true")]
    [InlineData("mixed", "m")]
    [InlineData("none", null)]
    [InlineData("realm_access.none", null)]
    [InlineData("one.two", null)]
    [InlineData("", null)]
    public void Claims_are_found_by_name_and_path(string path, string? texts)
    {
        var claims = JsonDocument.Parse("""
            {"groups":["a","b"],"one":"x","realm_access":{"roles":["r"]},"kubernetes.io":{"namespace":"prod","serviceaccount":{"name":"builder"}},
             "https://example.com/groups":["g"],"number":7,"flag":true,"mixed":["m",{},null,[]]}
            """).RootElement;
        Assert.Equal(texts?.Split(','), ClaimPath.Texts(claims, path));
    }

    private Task<TokenVerdict> CheckAsync(string token) => _issuer.VerifyAsync(token, new TokenDemands("berth"), Ct);
}
