using Berth.Oci;
using Berth.Server.Access;
using Berth.Server.Registry;

namespace Berth.Server.Tests.Registry;

/// <summary>The table of errors (OCI distribution spec, "Error Codes"), and who is let in.</summary>
public abstract class ProtocolErrorTests(RegistryFixture fixture) : RegistryTests(fixture)
{
    private const string Missing = "sha256:6c3c624b58dbbcd3c0dd82b4c53f04194d1247c6eebdaab7c610cf7d66709b3b";

    /// <summary>Method, path, status, code, Allow.</summary>
    public static TheoryData<string, string, int, string, string?> Table => new()
    {
        // Names.
        { "GET", "/v2/A/tags/list", 400, "NAME_INVALID", null },
        { "GET", "/v2/a_-b/tags/list", 400, "NAME_INVALID", null },
        { "GET", "/v2/a//b/tags/list", 400, "NAME_INVALID", null },
        { "GET", "/v2//tags/list", 404, "UNSUPPORTED", null },
        { "GET", "/v2/-a/manifests/latest", 400, "NAME_INVALID", null },
        { "GET", "/v2/a%2fb/manifests/latest", 400, "NAME_INVALID", null },
        { "GET", "/v2/a%20b/manifests/latest", 400, "NAME_INVALID", null },
        { "POST", "/v2/A/blobs/uploads/", 400, "NAME_INVALID", null },
        { "GET", $"/v2/{new string('a', 256)}/tags/list", 400, "NAME_INVALID", null },
        { "GET", $"/v2/{new string('a', 255)}/tags/list", 404, "NAME_UNKNOWN", null },
        // References.
        { "GET", "/v2/a/manifests/latest", 404, "MANIFEST_UNKNOWN", null },
        { "GET", $"/v2/a/manifests/{Missing}", 404, "MANIFEST_UNKNOWN", null },
        { "GET", "/v2/a/manifests/.x", 400, "TAG_INVALID", null },
        { "GET", $"/v2/a/manifests/{new string('a', 129)}", 400, "TAG_INVALID", null },
        { "GET", "/v2/a/manifests/", 400, "TAG_INVALID", null },
        { "GET", "/v2/a/manifests/sha256:abc", 400, "DIGEST_INVALID", null },
        { "GET", $"/v2/a/manifests/{Missing.ToUpperInvariant()}", 400, "DIGEST_INVALID", null },
        { "GET", "/v2/a/manifests/sha384:00", 400, "DIGEST_INVALID", null },
        { "GET", $"/v2/a/blobs/{Missing}", 404, "BLOB_UNKNOWN", null },
        { "GET", "/v2/a/blobs/latest", 400, "DIGEST_INVALID", null },
        { "GET", "/v2/a/blobs/", 400, "DIGEST_INVALID", null },
        { "PUT", "/v2/a/manifests/-x", 400, "TAG_INVALID", null },
        // Methods.
        { "POST", "/v2/", 405, "UNSUPPORTED", "GET, HEAD" },
        { "DELETE", "/v2/_catalog", 405, "UNSUPPORTED", "GET, HEAD" },
        { "PATCH", "/v2/a/manifests/latest", 405, "UNSUPPORTED", "GET, HEAD, PUT, DELETE" },
        { "POST", $"/v2/a/blobs/{Missing}", 405, "UNSUPPORTED", "GET, HEAD, DELETE" },
        { "GET", "/v2/a/blobs/uploads/", 405, "UNSUPPORTED", "POST" },
        { "POST", "/v2/a/blobs/uploads/0123456789abcdef0123456789abcdef", 405, "UNSUPPORTED", "GET, HEAD, PATCH, PUT, DELETE" },
        { "PUT", "/v2/a/tags/list", 405, "UNSUPPORTED", "GET, HEAD" },
        { "DELETE", $"/v2/a/referrers/{Missing}", 405, "UNSUPPORTED", "GET, HEAD" },
        { "BREW", "/v2/a/tags/list", 405, "UNSUPPORTED", "GET, HEAD" },
        // No endpoint.
        { "GET", "/v2/a", 404, "UNSUPPORTED", null },
        { "GET", "/v2/a/", 404, "UNSUPPORTED", null },
        { "GET", "/v2/a/b/c", 404, "UNSUPPORTED", null },
        { "GET", "/v2/a/tags", 404, "UNSUPPORTED", null },
        { "GET", "/v2/a/tags/other", 404, "UNSUPPORTED", null },
        { "GET", "/v2/_catalog/", 404, "UNSUPPORTED", null },
        { "GET", "/v2/manifests/latest", 404, "UNSUPPORTED", null },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public async Task A_mistake_is_answered_with_the_protocols_error(string method, string path, int status, string code, string? allow)
    {
        var answer = (await App.SendAsync(new HttpMethod(method), path)).MustBe(status, code);
        Assert.Equal(allow, answer.Header("Allow"));
        Assert.Equal("registry/2.0", answer.Header("Docker-Distribution-Api-Version"));
        if (method == "GET") Assert.Equal(status, (await App.HeadAsync(path)).Status);
    }

    [Theory]
    [InlineData("/v2/")]
    [InlineData("/v2")]
    public async Task The_version_check_answers(string path)
    {
        var answer = (await App.GetAsync(path)).MustBe(200);
        Assert.Equal("{}", answer.Text);
        Assert.Equal("application/json; charset=utf-8", answer.Header("Content-Type"));
        Assert.Equal("registry/2.0", answer.Header("Docker-Distribution-Api-Version"));
        Assert.Empty((await App.HeadAsync(path)).MustBe(200).Body);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/v1/")]
    [InlineData("/v2x/")]
    [InlineData("/V2/")]
    public async Task Other_paths_are_not_the_registrys(string path)
    {
        var answer = (await App.GetAsync(path)).MustBe(404);
        Assert.Null(answer.Header("Docker-Distribution-Api-Version"));
    }

    [Fact]
    public async Task Every_error_has_a_code_of_capitals_and_a_status_of_an_error()
    {
        Assert.All(OciError.All, error =>
        {
            Assert.Matches("^[A-Z][A-Z_]+$", error.Code);
            Assert.InRange(error.Status, 400, 599);
            Assert.NotEqual("", error.Message);
        });
        var fields = typeof(OciError).GetFields(System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Static).Select(f => f.GetValue(null)).OfType<OciError>();
        Assert.Equal(fields.ToHashSet(), OciError.All.ToHashSet());
        (await App.GetAsync("/v2/")).MustBe(200);
    }

    [Fact]
    public async Task Too_many_requests_are_answered_with_429_and_when_to_come_again()
    {
        await using var app = await RegistryApp.StartAsync(Kind, new RegistryOptions { RequestsPerSecond = 2 });
        var answers = new List<Answer>();
        for (var i = 0; i < 20 && (answers.Count == 0 || answers[^1].Status == 200); i++) answers.Add(await app.GetAsync("/v2/"));
        Assert.Equal(200, answers[0].Status);
        var refused = answers[^1].MustBe(429, "TOOMANYREQUESTS");
        Assert.InRange(int.Parse(refused.Header("Retry-After")!), 1, 2);
    }

    [Fact]
    public async Task Who_has_no_rights_is_asked_for_credentials_or_told_no()
    {
        await using var app = await RegistryApp.StartAsync(Kind, services: NamedCallers.Allow((name, _, action) => name == "root" || (name == "reader" && action == RepositoryAction.Pull)));
        var path = $"/v2/a/blobs/{Missing}";

        // Nobody: which credentials for what.
        Assert.Equal("Name realm=\"test\",scope=\"repository:a:pull\"", (await app.GetAsync(path)).MustBe(401, "UNAUTHORIZED").Header("WWW-Authenticate"));
        Assert.Equal("Name realm=\"test\",scope=\"repository:a:delete\"", (await app.DeleteAsync(path)).MustBe(401, "UNAUTHORIZED").Header("WWW-Authenticate"));
        Assert.Equal("Name realm=\"test\",scope=\"registry:catalog:*\"", (await app.GetAsync("/v2/_catalog")).MustBe(401, "UNAUTHORIZED").Header("WWW-Authenticate"));
        Assert.Equal("Name realm=\"test\",scope=\"\"", (await app.GetAsync("/v2/")).MustBe(401, "UNAUTHORIZED").Header("WWW-Authenticate"));
        var mount = await app.PostAsync($"/v2/a/blobs/uploads/?mount={Missing}&from=b");
        Assert.Equal("Name realm=\"test\",scope=\"repository:a:pull,push repository:b:pull\"", mount.MustBe(401, "UNAUTHORIZED").Header("WWW-Authenticate"));

        // Wrong credentials, a token for something else, somebody without the right.
        Assert.Contains("error=\"invalid_token\"", (await app.GetAsync(path, NamedCallers.As("wrong"))).MustBe(401, "UNAUTHORIZED").Header("WWW-Authenticate"), StringComparison.Ordinal);
        Assert.Contains("error=\"insufficient_scope\"", (await app.GetAsync(path, NamedCallers.As("token"))).MustBe(401, "UNAUTHORIZED").Header("WWW-Authenticate"), StringComparison.Ordinal);
        (await app.GetAsync(path, NamedCallers.As("reader"))).MustBe(404, "BLOB_UNKNOWN");
        var denied = (await app.DeleteAsync(path, NamedCallers.As("reader"))).MustBe(403, "DENIED");
        Assert.Null(denied.Header("WWW-Authenticate"));
        (await app.PostAsync("/v2/a/blobs/uploads/", null, NamedCallers.As("reader"))).MustBe(403, "DENIED");

        // Too many tries.
        Assert.Equal("3", (await app.GetAsync(path, NamedCallers.As("slow"))).MustBe(429, "TOOMANYREQUESTS").Header("Retry-After"));
        (await app.GetAsync("/v2/", NamedCallers.As("root"))).MustBe(200);
    }

    [Theory]
    [InlineData(true, null, "/v2/a/")]
    [InlineData(false, "https://registry.example/", "https://registry.example/v2/a/")]
    public async Task Links_have_the_form_that_the_settings_ask_for(bool relative, string? publicUrl, string start)
    {
        await using var app = await RegistryApp.StartAsync(Kind, more: o => o with { Http = o.Http with { RelativeUrls = relative, PublicUrl = publicUrl } });
        Assert.StartsWith(start + "blobs/uploads/", (await app.PostAsync("/v2/a/blobs/uploads/")).MustBe(202).Location, StringComparison.Ordinal);
        var content = NewBytes(10);
        Assert.Equal($"{start}blobs/{Digest.Of(content)}", (await app.PostAsync($"/v2/a/blobs/uploads/?digest={Digest.Of(content)}", content)).MustBe(201).Location);
        await app.PushImageAsync("a", "v1", TestImage.New());
        await app.PushImageAsync("a", "v2", TestImage.New());
        var link = (await app.GetAsync("/v2/a/tags/list?n=1")).Header("Link");
        Assert.Equal($"<{(publicUrl is null ? "/" : publicUrl)}v2/a/tags/list?n=1&last=v1>; rel=\"next\"", link);
    }
}

public sealed class ProtocolErrorTestsOnSqlite(SqliteRegistry registry) : ProtocolErrorTests(registry), IClassFixture<SqliteRegistry>;

public sealed class ProtocolErrorTestsOnPostgres(PostgresRegistry registry) : ProtocolErrorTests(registry), IClassFixture<PostgresRegistry>;
