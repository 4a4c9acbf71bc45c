using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jose;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Security;
using static Berth.Server.Tests.Access.TestTokens;

namespace Berth.Server.Tests.Access;

public sealed class TokenAccessTests : IDisposable
{
    // Finding primes takes longer than all else here: one key for all tests.
    private static readonly RSA SharedRsa = RSA.Create(2048);

    private readonly string _folder = Directory.CreateTempSubdirectory("berth-test-").FullName;
    private readonly ManualTime _time = new();
    private readonly AccessCounters _counters = new();
    private readonly CredentialCache _cache;
    private readonly ECDsa _ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public TokenAccessTests() => _cache = new CredentialCache(new AccessOptions(), _counters, _time, new Announcements());

    private string JwksFile => Path.Join(_folder, "jwks.json");

    private string BundleFile => Path.Join(_folder, "bundle.pem");

    public void Dispose()
    {
        _ec.Dispose();
        _cache.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_token_allows_what_it_grants_and_nothing_else()
    {
        var access = WithJwks(Jwk(SharedRsa, "k"));
        var claims = Claims();
        claims["access"] = JsonNode.Parse("""
            [{"type":"repository","name":"a/b","actions":["pull","push"]},{"type":"repository(plugin)","name":"p","actions":["*"]},
             {"type":"registry","name":"catalog","actions":["*"]}]
            """);
        var caller = (await SignInAsync(access, Signed("RS256", "k", claims))).Caller!;
        Assert.Equal(("token:alice", "alice", false), (caller.Id, caller.Name, caller.IsAdmin));
        Assert.True(access.May(caller, "a/b", RepositoryAction.Pull) && access.May(caller, "a/b", RepositoryAction.Push));
        Assert.False(access.May(caller, "a/b", RepositoryAction.Delete));
        Assert.False(access.May(caller, "a", RepositoryAction.Pull) || access.May(caller, "a/b/c", RepositoryAction.Pull));
        Assert.True(access.May(caller, "p", RepositoryAction.Delete));
        Assert.True(access.MayListCatalog(caller) && access.MayUseApi(caller));
        Assert.True(access.MayList(caller, "never/granted"));
        var plain = (await SignInAsync(access, Signed("RS256", "k", Claims()))).Caller!;
        Assert.False(access.MayListCatalog(plain) || access.MayList(plain, "library/debian"));
    }

    [Theory]
    [InlineData("RS256")]
    [InlineData("RS384")]
    [InlineData("RS512")]
    [InlineData("PS256")]
    [InlineData("PS384")]
    [InlineData("PS512")]
    public async Task Rsa_signatures_of_every_kind_are_accepted(string algorithm)
    {
        var access = WithJwks(Jwk(SharedRsa, "k"));
        Assert.NotNull((await SignInAsync(access, Signed(algorithm, "k", Claims()))).Caller);
        var other = RSA.Create(2048);
        Assert.Null((await SignInAsync(access, Sign(Header(algorithm, "k"), Claims(), With(other, algorithm)))).Caller);
    }

    [Theory]
    [InlineData("ES256", "P-256")]
    [InlineData("ES384", "P-384")]
    [InlineData("ES512", "P-521")]
    public async Task Elliptic_curve_signatures_of_every_kind_are_accepted(string algorithm, string curve)
    {
        using var key = ECDsa.Create(curve switch { "P-256" => ECCurve.NamedCurves.nistP256, "P-384" => ECCurve.NamedCurves.nistP384, _ => ECCurve.NamedCurves.nistP521 });
        var access = WithJwks(Jwk(key, curve, "k"));
        Assert.NotNull((await SignInAsync(access, Sign(Header(algorithm, "k"), Claims(), With(key, algorithm)))).Caller);
        // The algorithm belongs to the curve: the same key under another name is refused.
        var wrong = algorithm == "ES256" ? "ES384" : "ES256";
        Assert.Null((await SignInAsync(access, Sign(Header(wrong, "k"), Claims(), With(key, wrong)))).Caller);
    }

    [Fact]
    public async Task Ed25519_signatures_are_accepted()
    {
        var key = new Ed25519PrivateKeyParameters(new SecureRandom());
        var access = WithJwks(new JsonObject { ["kty"] = "OKP", ["crv"] = "Ed25519", ["kid"] = "k", ["x"] = Encode(key.GeneratePublicKey().GetEncoded()) });
        byte[] Sign25519(byte[] data)
        {
            var signer = new Ed25519Signer();
            signer.Init(true, key);
            signer.BlockUpdate(data, 0, data.Length);
            return signer.GenerateSignature();
        }
        var token = Sign(Header("EdDSA", "k"), Claims(), Sign25519);
        Assert.NotNull((await SignInAsync(access, token)).Caller);
        Assert.Null((await SignInAsync(access, Tampered(token))).Caller);
    }

    [Fact]
    public async Task Tokens_of_another_implementation_are_accepted()
    {
        var access = WithJwks(Jwk(SharedRsa, "k"));
        var token = new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = "issuer",
            Audience = "registry",
            NotBefore = Now.UtcDateTime,
            Expires = Now.AddMinutes(5).UtcDateTime,
            Claims = new Dictionary<string, object> { ["sub"] = "alice" },
            SigningCredentials = new SigningCredentials(new RsaSecurityKey(SharedRsa) { KeyId = "k" }, SecurityAlgorithms.RsaSha256),
        });
        Assert.Equal("alice", (await SignInAsync(access, token)).Caller?.Name);
    }

    [Fact]
    public async Task Neither_none_nor_a_shared_secret_is_ever_a_signature()
    {
        var access = WithJwks(Jwk(SharedRsa, "k"));
        var secret = Encoding.UTF8.GetBytes(SharedRsa.ExportSubjectPublicKeyInfoPem());
        Assert.Null((await SignInAsync(access, Sign(Header("HS256", "k"), Claims(), d => HMACSHA256.HashData(secret, d)))).Caller);
        Assert.Null((await SignInAsync(access, Sign(Header("none", "k"), Claims(), _ => [1]))).Caller);
        Assert.Null((await SignInAsync(access, Sign(Header("none", "k"), Claims(), _ => []))).Caller);
        Assert.Null((await SignInAsync(access, Sign(new JsonObject { ["kid"] = "k" }, Claims(), With(SharedRsa, "RS256")))).Caller);
        Assert.Equal(4, _counters.SignInsFailed);
    }

    [Fact]
    public async Task Only_allowed_algorithms_are_accepted()
    {
        var access = WithJwks(options => options with { SigningAlgorithms = ["HS256", "RS512"] }, Jwk(SharedRsa, "k"));
        Assert.NotNull((await SignInAsync(access, Signed("RS512", "k", Claims()))).Caller);
        Assert.Null((await SignInAsync(access, Signed("RS256", "k", Claims()))).Caller);
        var thrown = Assert.Throws<InvalidOperationException>(() => WithJwks(options => options with { SigningAlgorithms = ["HS256"], Issuer = null }, Jwk(SharedRsa, "k")));
        Assert.Contains("issuer", thrown.Message, StringComparison.Ordinal);
        Assert.Contains("RS256", thrown.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, string?> WrongClaims => new()
    {
        { "iss", "\"another\"" }, { "iss", null }, { "aud", "\"another\"" }, { "aud", "[]" }, { "aud", null }, { "aud", "[\"a\",7]" },
        { "exp", null }, { "exp", "\"soon\"" }, { "exp", "-1" }, { "exp", "1e300" },
        { "exp", Now.AddSeconds(-61).ToUnixTimeSeconds().ToString() }, { "nbf", Now.AddSeconds(62).ToUnixTimeSeconds().ToString() }, { "nbf", "\"x\"" },
        { "access", "{}" }, { "access", "[7]" }, { "access", "[{\"type\":\"repository\",\"name\":\"x\",\"actions\":\"pull\"}]" },
        { "access", "[{\"name\":\"x\",\"actions\":[\"pull\"]}]" },
    };

    [Theory]
    [MemberData(nameof(WrongClaims))]
    public async Task A_token_with_a_wrong_claim_is_refused(string name, string? value)
    {
        var claims = Claims();
        if (value is null) claims.Remove(name);
        else claims[name] = JsonNode.Parse(value);
        Assert.Null((await SignInAsync(WithJwks(Jwk(SharedRsa, "k")), Signed("RS256", "k", claims))).Caller);
    }

    public static TheoryData<string, string?> RightClaims => new()
    {
        { "aud", "[\"other\",\"registry\"]" }, { "nbf", null }, { "access", "null" }, { "sub", null },
        { "exp", Now.AddSeconds(-59).ToUnixTimeSeconds().ToString() }, { "nbf", Now.AddSeconds(59).ToUnixTimeSeconds().ToString() },
    };

    [Theory]
    [MemberData(nameof(RightClaims))]
    public async Task Lists_of_audiences_missing_optional_claims_and_a_minute_of_clock_skew_are_fine(string name, string? value)
    {
        var claims = Claims();
        if (value is null) claims.Remove(name);
        else claims[name] = JsonNode.Parse(value);
        Assert.NotNull((await SignInAsync(WithJwks(Jwk(SharedRsa, "k")), Signed("RS256", "k", claims))).Caller);
    }

    [Fact]
    public async Task A_remembered_token_ends_in_time()
    {
        var access = WithJwks(Jwk(SharedRsa, "k"));
        var claims = Claims();
        claims["exp"] = Now.AddSeconds(20).ToUnixTimeSeconds();
        var token = Signed("RS256", "k", claims);
        for (var i = 0; i < 5; i++) Assert.NotNull((await SignInAsync(access, token)).Caller);
        Assert.Equal(1, _counters.SignInsSucceeded);
        _time.Advance(TimeSpan.FromSeconds(81));
        Assert.Null((await SignInAsync(access, token)).Caller);
    }

    [Fact]
    public async Task A_key_of_the_bundle_is_found_by_libtrust_fingerprint_and_by_thumbprint()
    {
        var access = WithBundle(SelfSigned("signer", _ec), SelfSigned("rsa signer", SharedRsa));
        var sha = SHA256.HashData(_ec.ExportSubjectPublicKeyInfo());
        var fingerprint = string.Join(':', Base32(sha.AsSpan(0, 30)).Chunk(4).Select(c => new string(c)));
        Assert.Matches("^([A-Z2-7]{4}:){11}[A-Z2-7]{4}$", fingerprint);
        Assert.NotNull((await SignInAsync(access, Sign(Header("ES256", fingerprint), Claims(), With(_ec, "ES256")))).Caller);
        var thumbprint = Encode(new RsaSecurityKey(SharedRsa).ComputeJwkThumbprint());
        Assert.NotNull((await SignInAsync(access, Sign(Header("RS256", thumbprint), Claims(), With(SharedRsa, "RS256")))).Caller);
        var ecThumbprint = Encode(new ECDsaSecurityKey(_ec).ComputeJwkThumbprint());
        Assert.NotNull((await SignInAsync(access, Sign(Header("ES256", ecThumbprint), Claims(), With(_ec, "ES256")))).Caller);
        Assert.Null((await SignInAsync(access, Sign(Header("ES256", "UNKN:OWN"), Claims(), With(_ec, "ES256")))).Caller);
        Assert.Null((await SignInAsync(access, Sign(new JsonObject { ["alg"] = "ES256" }, Claims(), With(_ec, "ES256")))).Caller);
    }

    [Fact]
    public async Task A_key_in_the_header_must_be_a_trusted_one()
    {
        var access = WithBundle(SelfSigned("signer", _ec));
        var header = new JsonObject { ["alg"] = "ES256", ["jwk"] = Jwk(_ec, "P-256") };
        Assert.NotNull((await SignInAsync(access, Sign(header, Claims(), With(_ec, "ES256")))).Caller);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var claimed = new JsonObject { ["alg"] = "ES256", ["jwk"] = Jwk(other, "P-256", VerificationKeyOf(_ec).Fingerprint) };
        Assert.Null((await SignInAsync(access, Sign(claimed, Claims(), With(other, "ES256")))).Caller);
    }

    [Fact]
    public async Task A_chain_in_the_header_must_lead_to_the_bundle()
    {
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var middleKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var root = SelfSigned("root", rootKey);
        var middle = Issue("middle", middleKey, isAuthority: true, root, rootKey);
        var leaf = Issue("leaf", _ec, isAuthority: false, middle, middleKey);
        Task<SignInResult> Try(TokenAccess access, params X509Certificate2[] chain) =>
            SignInAsync(access, Sign(new JsonObject { ["alg"] = "ES256", ["x5c"] = Chain(chain) }, Claims(), With(_ec, "ES256"))).AsTask();

        // The root, the intermediate or the leaf itself may be the anchor.
        Assert.NotNull((await Try(WithBundle(root), leaf, middle)).Caller);
        Assert.NotNull((await Try(WithBundle(middle), leaf)).Caller);
        Assert.NotNull((await Try(WithBundle(middle), leaf, middle)).Caller);
        Assert.NotNull((await Try(WithBundle(leaf), leaf)).Caller);
        var own = SelfSigned("own", _ec);
        Assert.NotNull((await Try(WithBundle(own), own)).Caller);

        Assert.Null((await Try(WithBundle(root), leaf)).Caller);
        Assert.Null((await Try(WithBundle(SelfSigned("stranger", rootKey)), leaf, middle)).Caller);
        Assert.Null((await Try(WithBundle(root), own)).Caller);
        Assert.Null((await Try(WithBundle(root))).Caller);
        // The anchor itself does not speak for a key that it did not sign.
        Assert.Null((await Try(WithBundle(root), root)).Caller);
    }

    [Fact]
    public async Task Forged_expired_and_misused_chains_are_refused()
    {
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var middleKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var forger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var root = SelfSigned("root", rootKey);
        var middle = Issue("middle", middleKey, isAuthority: true, root, rootKey);
        var plain = Issue("plain", middleKey, isAuthority: false, root, rootKey);
        async Task Refused(X509Certificate2 anchor, params X509Certificate2[] chain)
        {
            var token = Sign(new JsonObject { ["alg"] = "ES256", ["x5c"] = Chain(chain) }, Claims(), With(_ec, "ES256"));
            Assert.Null((await SignInAsync(WithBundle(anchor), token)).Caller);
        }

        await Refused(root, Issue("leaf", _ec, isAuthority: false, root, forger));
        await Refused(middle, Issue("leaf", _ec, isAuthority: false, middle, forger));
        await Refused(middle, Issue("leaf", _ec, isAuthority: false, middle, forger), middle);
        await Refused(root, Issue("leaf", _ec, isAuthority: false, middle, forger), middle);
        await Refused(root, Issue("leaf", _ec, isAuthority: false, middle, middleKey, until: Now.AddSeconds(-5)), middle);
        await Refused(root, Issue("leaf", _ec, isAuthority: false, plain, middleKey), plain);
    }

    [Fact]
    public async Task A_withdrawn_key_ends_its_tokens()
    {
        var access = WithJwks(Jwk(SharedRsa, "k"));
        var token = Signed("RS256", "k", Claims());
        Assert.NotNull((await SignInAsync(access, token)).Caller);
        await File.WriteAllTextAsync(JwksFile, new JsonObject { ["keys"] = new JsonArray(Jwk(_ec, "P-256", "other")) }.ToJsonString());
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null((await SignInAsync(access, token)).Caller);
    }

    [Fact]
    public async Task Mutilated_tokens_are_refused()
    {
        var access = WithJwks(Jwk(SharedRsa, "k"));
        var token = Signed("RS256", "k", Claims());
        var random = new Random(7);
        for (var i = 0; i < 500; i++)
        {
            var at = random.Next(token.Length);
            var mutilated = random.Next(3) switch { 0 => token.Remove(at, 1), 1 => token.Insert(at, "."), _ => token[..at] };
            Assert.Null((await SignInAsync(access, mutilated)).Caller);
        }
        Assert.Null((await SignInAsync(access, Tampered(token))).Caller);
        Assert.Null((await SignInAsync(access, token + new string('A', 20_000))).Caller);
        var critical = new JsonObject { ["alg"] = "RS256", ["kid"] = "k", ["crit"] = new JsonArray("x"), ["x"] = 1 };
        Assert.Null((await SignInAsync(access, Sign(critical, Claims(), With(SharedRsa, "RS256")))).Caller);
    }

    [Fact]
    public async Task Without_a_token_the_caller_is_anonymous_and_learns_where_to_get_one()
    {
        var access = WithJwks(Jwk(SharedRsa, "k"));
        var context = new DefaultHttpContext();
        var caller = (await access.SignInAsync(context, CancellationToken.None)).Caller!;
        Assert.True(caller.IsAnonymous);
        Assert.False(access.MayUseApi(caller) || access.May(caller, "x", RepositoryAction.Pull) || access.MayListCatalog(caller));
        Assert.Equal(
            "Bearer realm=\"https://auth.example/token\",service=\"registry\",scope=\"repository:x:pull\",error=\"invalid_token\"",
            access.Challenge(context, "repository:x:pull", "invalid_token"));
        Assert.Equal("Bearer realm=\"https://auth.example/token\",service=\"registry\"", access.Challenge(context, "", null));
        context.Request.Headers.Authorization = "Basic YWxpY2U6c2VjcmV0";
        Assert.True((await access.SignInAsync(context, CancellationToken.None)).Caller!.IsAnonymous);
    }

    [Theory]
    [InlineData(null, "https")]
    [InlineData("http", "http")]
    public void With_autoredirect_the_realm_follows_the_host_of_the_request(string? proto, string scheme)
    {
        var access = WithJwks(options => options with { Realm = null, AutoRedirect = true }, Jwk(SharedRsa, "k"));
        var context = new DefaultHttpContext();
        (context.Request.Scheme, context.Request.Host) = ("http", new HostString("registry.example:5000"));
        if (proto is not null) context.Request.Headers["X-Forwarded-Proto"] = proto;
        Assert.Equal($"Bearer realm=\"{scheme}://registry.example:5000/auth/token\",service=\"registry\"", access.Challenge(context, "", null));
    }

    [Fact]
    public void Unusable_files_stop_the_start()
    {
        File.WriteAllText(BundleFile, "no certificate");
        Assert.Throws<InvalidDataException>(() => Open(Options() with { RootCertBundle = BundleFile }));
        Assert.Throws<FileNotFoundException>(() => Open(Options() with { Jwks = Path.Join(_folder, "missing.json") }));
        using var small = RSA.Create(1024);
        Assert.Throws<InvalidOperationException>(() => WithJwks(Jwk(small, "k")));
        Assert.Throws<InvalidOperationException>(() => WithJwks(new JsonObject { ["kty"] = "oct", ["k"] = "AAAA", ["kid"] = "k" }));
        File.WriteAllText(JwksFile, "[]");
        Assert.Throws<InvalidDataException>(() => Open(Options() with { Jwks = JwksFile }));
        Assert.Throws<InvalidOperationException>(() => Open(Options()));
    }

    private static JsonObject Header(string algorithm, string id) => new() { ["typ"] = "JWT", ["alg"] = algorithm, ["kid"] = id };

    private static string Signed(string algorithm, string id, JsonObject claims) => Sign(Header(algorithm, id), claims, With(SharedRsa, algorithm));

    private static string Tampered(string token)
    {
        var parts = token.Split('.');
        var claims = Encoding.UTF8.GetString(Base64UrlEncoder.DecodeBytes(parts[1])).Replace("alice", "admin", StringComparison.Ordinal);
        return $"{parts[0]}.{Encode(Encoding.UTF8.GetBytes(claims))}.{parts[2]}";
    }

    private TokenAccess WithJwks(params JsonObject[] keys) => WithJwks(o => o, keys);

    private TokenAccess WithJwks(Func<ExternalTokenOptions, ExternalTokenOptions> change, params JsonObject[] keys)
    {
        File.WriteAllText(JwksFile, new JsonObject { ["keys"] = new JsonArray([.. keys]) }.ToJsonString());
        return Open(change(Options()) with { Jwks = JwksFile });
    }

    private TokenAccess WithBundle(params X509Certificate2[] certificates)
    {
        File.WriteAllText(BundleFile, string.Join('\n', certificates.Select(c => c.ExportCertificatePem())));
        _cache.Clear();
        return Open(Options() with { RootCertBundle = BundleFile });
    }

    private static ExternalTokenOptions Options() => new() { Realm = "https://auth.example/token", Service = "registry", Issuer = "issuer" };

    private TokenAccess Open(ExternalTokenOptions options) => new(
        new AccessOptions { Mode = AccessMode.Token, Token = options }, new BearerSignIn(_cache, _counters), _cache, _time, NullLogger<TokenAccess>.Instance);

    private static ValueTask<SignInResult> SignInAsync(TokenAccess access, string token)
    {
        var context = new DefaultHttpContext();
        context.Request.Headers.Authorization = "Bearer " + token;
        return access.SignInAsync(context, CancellationToken.None);
    }

    private static VerificationKey VerificationKeyOf(ECDsa key)
    {
        Assert.True(VerificationKey.TryFrom(ECDsa.Create(key.ExportParameters(false)), out var verification));
        return verification;
    }

    // An independent base 32: bit by bit.
    private static string Base32(ReadOnlySpan<byte> bytes)
    {
        var bits = string.Concat(bytes.ToArray().Select(b => Convert.ToString(b, 2).PadLeft(8, '0')));
        return string.Concat(bits.Chunk(5).Select(c => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[Convert.ToInt32(new string(c), 2)]));
    }
}
