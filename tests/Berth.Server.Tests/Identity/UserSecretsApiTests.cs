using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;

namespace Berth.Server.Tests.Identity;

/// <summary>Passwords, secrets and the state of accounts, over HTTP.</summary>
public sealed class UserSecretsApiTests
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Users_change_their_password_knowing_the_old_one(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        var path = $"/api/v2.0/users/{await app.AddUserAsync("bob")}/password";
        Task<ApiAnswer> Change(string old, string next, string user = "bob", string password = PlatformApp.Password) =>
            app.CallAsync("PUT", path, user, $$"""{"old_password":"{{old}}","new_password":"{{next}}"}""", PlatformApp.As(user, password));

        var wrong = await Change("wrong", "NewPassword1");
        Assert.Equal((403, "Current password is incorrect"), (wrong.Status, wrong.Message));
        Assert.Equal(400, (await Change(PlatformApp.Password, "weak")).Status);
        var same = await Change(PlatformApp.Password, PlatformApp.Password);
        Assert.Equal((400, "New password is identical to old password"), (same.Status, same.Message));
        Assert.Equal(200, (await Change(PlatformApp.Password, "NewPassword1")).Status);
        Assert.Equal(401, (await Change(PlatformApp.Password, "NewPassword2")).Status);
        Assert.Equal(200, (await app.CallAsync("GET", "/api/v2.0/users/current", "bob", null, PlatformApp.As("bob", "NewPassword1"))).Status);

        // Administrators need not know it.
        Assert.Equal(200, (await Change("", "NewPassword3", "admin")).Status);
        Assert.Equal(200, (await Change("NewPassword3", "NewPassword4", "bob", "NewPassword3")).Status);
        Assert.Equal(404, (await app.CallAsync("PUT", "/api/v2.0/users/99/password", "admin", """{"new_password":"NewPassword1"}""")).Status);
        Assert.Equal(422, (await app.CallAsync("PUT", "/api/v2.0/users/x/password", "admin", """{"new_password":"NewPassword1"}""")).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Nothing_is_open_before_a_demanded_new_password(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        var id = await app.AddUserAsync("bob", isAdmin: true);
        var token = (string)(await app.CallAsync("POST", "/api/berth/v1/users/current/tokens", "bob", """{"name":"ci"}""")).Json["token"]!;
        var bearer = (string)(await app.CallAsync("GET", "/service/token?scope=repository:library/x:pull", "bob")).Json["token"]!;
        Assert.Equal(200, (await app.CallAsync("PATCH", $"/api/berth/v1/users/{id}", "admin", """{"must_change_password":true}""")).Status);

        foreach (var header in new[] { PlatformApp.As("bob"), PlatformApp.As("bob", token), ("Authorization", "Bearer " + token) })
        {
            var api = await app.CallAsync("GET", "/api/v2.0/users", "bob", null, header);
            Assert.Equal(403, api.Status);
            Assert.Contains("choose a new password first", api.Message, StringComparison.Ordinal);
            foreach (var path in new[] { "/v2/", "/v2/library/x/tags/list" })
            {
                var registry = await app.CallAsync("GET", path, "bob", null, header);
                Assert.Equal((403, "DENIED"), (registry.Status, registry.Code));
                Assert.Contains("choose a new password", registry.Message, StringComparison.Ordinal);
            }
        }
        Assert.Equal(403, (await app.CallAsync("GET", "/v2/library/x/tags/list", "", null, ("Authorization", "Bearer " + bearer))).Status);
        Assert.Equal(403, (await app.CallAsync("GET", "/service/token?scope=repository:library/x:pull", "bob")).Status);
        Assert.Equal(200, (await app.CallAsync("GET", "/api/v2.0/users/current", "bob")).Status);

        Assert.Equal(200, (await app.CallAsync("PUT", $"/api/v2.0/users/{id}/password", "bob", """{"old_password":"Harbor12345","new_password":"NewPassword1"}""")).Status);
        Assert.Equal(200, (await app.CallAsync("GET", "/api/v2.0/users", "bob", null, PlatformApp.As("bob", "NewPassword1"))).Status);
        Assert.Equal(200, (await app.CallAsync("GET", "/v2/", "bob", null, PlatformApp.As("bob", token))).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_disabled_user_gets_in_by_nothing(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        var id = await app.AddUserAsync("bob");
        var state = $"/api/berth/v1/users/{id}";
        var token = (string)(await app.CallAsync("POST", "/api/berth/v1/users/current/tokens", "bob", """{"name":"ci"}""")).Json["token"]!;
        var answer = await app.CallAsync("GET", "/service/token?offline_token=true", "bob");
        var (bearer, refresh) = ((string)answer.Json["token"]!, (string)answer.Json["refresh_token"]!);
        Assert.Equal(200, (await app.CallAsync("GET", "/v2/", "", null, ("Authorization", "Bearer " + bearer))).Status);

        var disabled = await app.CallAsync("PATCH", state, "admin", """{"is_disabled":true}""");
        Assert.True((bool)disabled.Json["is_disabled"]!);
        foreach (var header in new[] { PlatformApp.As("bob"), PlatformApp.As("bob", token), ("Authorization", "Bearer " + token), ("Authorization", "Bearer " + bearer) })
        {
            Assert.Equal(401, (await app.CallAsync("GET", "/v2/", "", null, header)).Status);
            Assert.Equal(401, (await app.CallAsync("GET", "/api/v2.0/users/current", "", null, header)).Status);
        }
        var refreshed = await app.Registry.SendAsync(HttpMethod.Post, "/service/token", new FormUrlEncodedContent([new("grant_type", "refresh_token"), new("refresh_token", refresh)]));
        Assert.Equal(401, refreshed.Status);

        Assert.Equal(200, (await app.CallAsync("PATCH", state, "admin", """{"is_disabled":false}""")).Status);
        Assert.Equal(200, (await app.CallAsync("GET", "/v2/", "bob")).Status);
        Assert.Equal(403, (await app.CallAsync("GET", state, "bob")).Status);
        Assert.Equal(403, (await app.CallAsync("PATCH", state, "bob", """{"is_disabled":false}""")).Status);
        Assert.Equal(404, (await app.CallAsync("GET", "/api/berth/v1/users/99")).Status);
        Assert.Equal(404, (await app.CallAsync("PATCH", "/api/berth/v1/users/99", "admin", "{}")).Status);
        Assert.Equal("local", (string?)(await app.GetAsync(state))["source"]);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_cli_secret_stands_for_the_password_of_those_who_have_none_here(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        var local = await app.AddUserAsync("bob");
        var refused = await app.CallAsync("PUT", $"/api/v2.0/users/{local}/cli_secret", "bob", """{"secret":"Secret12345"}""");
        Assert.Equal((412, "PRECONDITION"), (refused.Status, refused.Code));

        var id = await app.Database.WriteAsync(Durability.Full, async (s, t) => (await s.ScalarAsync(s_oidcUser, [], t))!.Value, CancellationToken.None);
        var path = $"/api/v2.0/users/{id}/cli_secret";
        Assert.Equal(400, (await app.CallAsync("PUT", path, "admin", """{"secret":"weak"}""")).Status);
        Assert.Equal(404, (await app.CallAsync("PUT", "/api/v2.0/users/99/cli_secret", "admin", """{"secret":"Secret12345"}""")).Status);
        Assert.Equal(200, (await app.CallAsync("PUT", path, "admin", """{"secret":"Secret12345"}""")).Status);
        var dora = await app.CallAsync("GET", "/api/v2.0/users/current", "", null, PlatformApp.As("dora", "Secret12345"));
        Assert.Equal("dora", (string?)dora.Json["username"]);
        Assert.Equal("subject1", (string?)dora.Json["oidc_user_meta"]!["subiss"]);
        Assert.Equal(200, (await app.CallAsync("GET", "/v2/", "", null, PlatformApp.As("dora", "Secret12345"))).Status);
        Assert.Equal(401, (await app.CallAsync("GET", "/v2/", "", null, PlatformApp.As("dora", "Secret12346"))).Status);
        // She may give herself another, a random one that she is told this once.
        var random = await app.CallAsync("PUT", path, "", """{"secret":""}""", PlatformApp.As("dora", "Secret12345"));
        Assert.Equal(200, random.Status);
        Assert.Equal(200, (await app.CallAsync("GET", "/v2/", "", null, PlatformApp.As("dora", (string)random.Json["secret"]!))).Status);
        Assert.Equal(401, (await app.CallAsync("GET", "/v2/", "", null, PlatformApp.As("dora", "Secret12345"))).Status);
        // Her password is not kept here.
        Assert.Equal(403, (await app.CallAsync("PUT", $"/api/v2.0/users/{id}/password", "admin", """{"new_password":"NewPassword1"}""")).Status);
        Assert.Equal(403, (await app.CallAsync("PUT", $"/api/v2.0/users/{id}", "admin", """{"email":"a@b.de","realname":"D"}""")).Status);
    }

    private static readonly Statement s_oidcUser = new("""
        INSERT INTO users (name, password_hash, is_admin, source, external_id, created_at, updated_at) VALUES ('dora', '', FALSE, 'oidc:test', 'subject1', 0, 0) RETURNING id
        """);
}
