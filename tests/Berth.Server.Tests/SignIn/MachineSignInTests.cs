using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Berth.Server.Identity;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Http;
using Berth.Server.Tests.Identity.Issuers;

namespace Berth.Server.Tests.SignIn;

/// <summary>Machines with tokens of an issuer that is trusted: as password, and exchanged.</summary>
public sealed class MachineSignInTests : IAsyncLifetime
{
    private const string Audience = "https://registry.example.com";
    private ScriptedIssuer _peer = null!;
    private SignInApp _app = null!;
    private HttpClient _admin = null!;
    private long _robot;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _peer = await ScriptedIssuer.StartAsync();
        _peer.Time.Advance(TimeProvider.System.GetUtcNow() - _peer.Time.GetUtcNow());
        _app = await SignInApp.StartAsync(new IdentityOptions(), o => o with { Outgoing = new OutgoingOptions { Allow = ["127.0.0.1"] } });
        _admin = _app.Program("admin", "Harbor12345");
        _robot = (await _app.RunAsync(AddRobot, ["ci"], Ct))!.Value;
        await _app.RunAsync(AddPermission, [_robot, "repository:pull,repository:push"], Ct);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _peer.DisposeAsync();
    }

    [Fact]
    public async Task The_token_is_the_password_under_any_name_but_another_robots()
    {
        await TrustAsync();
        var token = Workflow("octo/app");
        foreach (var (name, status) in new[] { ("robot$ci", HttpStatusCode.OK), ("oidc", HttpStatusCode.OK), ("token", HttpStatusCode.OK), ("robot$other", HttpStatusCode.Unauthorized) })
            Assert.Equal(status, await _app.TryAsync(name, token, Ct));
        Assert.Equal(HttpStatusCode.Unauthorized, await _app.TryAsync("oidc", Workflow("evil/app"), Ct));
        Assert.Equal(HttpStatusCode.Unauthorized, await _app.TryAsync("oidc", token[..^4] + "AAAA", Ct));
        using var api = await _app.Program("oidc", token).GetAsync(new Uri("/api/berth/v1/sessions", UriKind.Relative), Ct);
        Assert.Equal(HttpStatusCode.Forbidden, api.StatusCode);
    }

    [Fact]
    public async Task The_token_is_exchanged_for_one_of_the_registry_that_ends_with_the_trust()
    {
        var trust = await TrustAsync();
        var answer = await ExchangeAsync(Workflow("octo/app"), HttpStatusCode.OK);
        Assert.Equal("urn:ietf:params:oauth:token-type:access_token", answer.GetProperty("issued_token_type").GetString());
        Assert.Equal("repository:library/app:pull,push", answer.GetProperty("scope").GetString());
        Assert.False(answer.TryGetProperty("refresh_token", out _));
        Assert.Equal(HttpStatusCode.OK, await WithTokenAsync(answer));
        await ExchangeAsync(Workflow("evil/app"), HttpStatusCode.Unauthorized);
        await ExchangeAsync("nonsense", HttpStatusCode.Unauthorized);
        await ExchangeAsync("", HttpStatusCode.BadRequest);
        using (var gone = await _admin.DeleteAsync(new Uri($"/api/berth/v1/robots/{_robot}/trusts/{trust}", UriKind.Relative), Ct)) Assert.Equal(HttpStatusCode.NoContent, gone.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await WithTokenAsync(answer));
        await ExchangeAsync(Workflow("octo/app"), HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Docker_login_gets_no_refresh_token_for_credentials_that_end()
    {
        await TrustAsync();
        using var answer = await _app.Program("oidc", Workflow("octo/app")).GetAsync(new Uri("/service/token?offline_token=true&scope=repository:library/app:pull", UriKind.Relative), Ct);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.False((await SignInApp.JsonOf(answer, Ct)).TryGetProperty("refresh_token", out _));
        using var own = await _app.Program("local", "Local12345").GetAsync(new Uri("/service/token?offline_token=true&scope=repository:library/app:pull", UriKind.Relative), Ct);
        Assert.True((await SignInApp.JsonOf(own, Ct)).TryGetProperty("refresh_token", out _));
    }

    [Fact]
    public async Task A_disabled_robot_and_an_issuer_that_is_down_let_nobody_in()
    {
        await TrustAsync();
        _peer.IsDown = true;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await _app.TryAsync("oidc", Workflow("octo/app"), Ct));
        await ExchangeAsync(Workflow("octo/app"), HttpStatusCode.ServiceUnavailable);
        _peer.IsDown = false;
        await _app.RunAsync(Disable, [_robot], Ct);
        await Task.Delay(TimeSpan.FromSeconds(10.5), TimeProvider.System, Ct);
        Assert.Equal(HttpStatusCode.Unauthorized, await _app.TryAsync("oidc", Workflow("octo/app"), Ct));
    }

    [Fact]
    public async Task A_trust_is_checked_shown_and_not_for_everybody_to_add()
    {
        var id = await TrustAsync();
        var path = $"/api/berth/v1/robots/{_robot}/trusts";
        using (var list = await _admin.GetAsync(new Uri(path, UriKind.Relative), Ct))
        {
            var shown = Assert.Single((await SignInApp.JsonOf(list, Ct)).EnumerateArray());
            Assert.Equal((id, "ci", "octo/*"), (shown.GetProperty("id").GetInt64(), shown.GetProperty("name").GetString(), shown.GetProperty("claims").GetProperty("repository")[0].GetString()));
        }
        foreach (var (body, status) in new (object, HttpStatusCode)[]
        {
            (Body("ci"), HttpStatusCode.Conflict),
            (new { }, HttpStatusCode.BadRequest),
            (Body("wild") with { claims = new() { ["repository"] = ["**"] } }, HttpStatusCode.BadRequest),
            (Body("plain") with { issuer = "http://issuer.example.com" }, HttpStatusCode.BadRequest),
            (Body("inside") with { issuer = "https://10.0.0.1" }, HttpStatusCode.BadRequest),
            (Body("keys") with { jwks = "{}" }, HttpStatusCode.BadRequest),
            (Body("keys") with { jwks = """{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"1"}]}""" }, HttpStatusCode.BadRequest),
        })
        {
            using var answer = await _admin.PostAsJsonAsync(path, body, Ct);
            Assert.True(answer.StatusCode == status, await answer.Content.ReadAsStringAsync(Ct));
        }
        foreach (var (client, status) in new[] { (_app.Program("local", "Local12345"), HttpStatusCode.Forbidden), (_app.Program(), HttpStatusCode.Unauthorized), (_app.Program("oidc", Workflow("octo/app")), HttpStatusCode.Forbidden) })
        {
            using var read = await client.GetAsync(new Uri(path, UriKind.Relative), Ct);
            using var add = await client.PostAsJsonAsync(path, Body("mine"), Ct);
            using var remove = await client.DeleteAsync(new Uri($"{path}/{id}", UriKind.Relative), Ct);
            Assert.Equal([status, status, status], [read.StatusCode, add.StatusCode, remove.StatusCode]);
        }
        using var missing = await _admin.GetAsync(new Uri("/api/berth/v1/robots/4711/trusts", UriKind.Relative), Ct);
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }

    private TrustBody Body(string name) => new(name, _peer.Address, Audience, new() { ["repository"] = ["octo/*"], ["ref"] = ["refs/heads/main", "refs/tags/*"] }, null);

    private async Task<long> TrustAsync()
    {
        using var answer = await _admin.PostAsJsonAsync($"/api/berth/v1/robots/{_robot}/trusts", Body("ci"), Ct);
        Assert.True(answer.StatusCode == HttpStatusCode.Created, await answer.Content.ReadAsStringAsync(Ct));
        return (await SignInApp.JsonOf(answer, Ct)).GetProperty("id").GetInt64();
    }

    private string Workflow(string repository)
    {
        var claims = _peer.Claims(Audience);
        (claims["repository"], claims["ref"]) = (repository, "refs/heads/main");
        return _peer.Sign(claims);
    }

    private async Task<JsonElement> ExchangeAsync(string token, HttpStatusCode status)
    {
        using var form = new FormUrlEncodedContent([
            new("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), new("subject_token", token), new("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
            new("scope", "repository:library/app:pull,push,delete")]);
        using var answer = await _app.Program().PostAsync(new Uri("/service/token", UriKind.Relative), form, Ct);
        Assert.True(answer.StatusCode == status, await answer.Content.ReadAsStringAsync(Ct));
        return await SignInApp.JsonOf(answer, Ct);
    }

    private async Task<HttpStatusCode> WithTokenAsync(JsonElement answer)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v2/");
        request.Headers.Authorization = new("Bearer", answer.GetProperty("access_token").GetString());
        using var response = await _app.Program().SendAsync(request, Ct);
        return response.StatusCode;
    }

    private static readonly Statement AddRobot = new("""
        INSERT INTO robots (name, description, is_disabled, duration_days, creator_kind, creator_id, created_at, updated_at) VALUES (@0, '', FALSE, -1, 'user', 1, 0, 0) RETURNING id
        """);
    private static readonly Statement AddPermission = new("INSERT INTO robot_permissions (robot_id, scope, permissions) VALUES (@0, 0, @1) RETURNING id");
    private static readonly Statement Disable = new("UPDATE robots SET is_disabled = TRUE WHERE id = @0 RETURNING id");

#pragma warning disable SA1300, IDE1006 // The names of the JSON.
    private sealed record TrustBody(string name, string issuer, string audience, Dictionary<string, string[]> claims, string? jwks);
#pragma warning restore SA1300, IDE1006
}
