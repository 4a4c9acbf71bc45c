using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Access.Robots;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Access;

/// <summary>
/// What people, robots and tokens try over <c>/v2/</c> that is not theirs: another's upload, another project's layers, more than a token grants.
/// </summary>
public sealed class StolenUploadTests
{
    private static readonly byte[] s_content = "somebody's layer"u8.ToArray();

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task An_upload_is_its_starters_alone(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        var callers = await CallersAsync(app);
        foreach (var (owner, header) in callers)
        {
            var location = await app.Registry.StartUploadAsync("team/x", header);
            foreach (var (thief, stolen) in callers)
            {
                // The tokens of one person are one account: only others are thieves.
                if (AccountOf(thief) == AccountOf(owner)) continue;
                var what = $"{thief} at an upload of {owner}";
                Assert.True(IsRefused(await app.Registry.GetAsync(location, stolen)), what);
                Assert.True(IsRefused(await app.Registry.PatchAsync(location, s_content, stolen)), what);
                Assert.True(IsRefused(await app.Registry.PutAsync($"{location}?digest={Digest.Of(s_content)}", s_content, stolen)), what);
                Assert.True(IsRefused(await app.Registry.DeleteAsync(location, stolen)), what);
            }
            Assert.Equal(401, (await app.Registry.PatchAsync(location, s_content)).Status);
            // Its own goes on as if nothing had been; in another repository it is unknown.
            Assert.Equal(404, (await app.Registry.GetAsync(location.Replace("/team/x/", "/team/y/", StringComparison.Ordinal), header)).Status);
            Assert.Equal(201, (await app.Registry.PutAsync($"{location}?digest={Digest.Of(s_content)}", s_content, header)).Status);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_layer_is_mounted_only_from_where_the_caller_may_pull(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        var callers = await CallersAsync(app);
        await app.AddProjectAsync("secret");
        var secret = "a layer of the secret project"u8.ToArray();
        Assert.Equal(201, (await app.Registry.PostAsync($"/v2/secret/x/blobs/uploads/?digest={Digest.Of(secret)}", secret, PlatformApp.As("admin"))).Status);
        foreach (var (caller, header) in callers)
        {
            // 202 starts an upload instead: the answer for a layer that is not there.
            foreach (var from in new[] { "secret/x", "missing/x" })
            {
                var mount = await app.Registry.PostAsync($"/v2/team/x/blobs/uploads/?mount={Digest.Of(secret)}&from={from}", null, header);
                Assert.True(mount.Status == 202, $"{caller} from {from}: {mount.Status}");
            }
            var blind = await app.Registry.PostAsync($"/v2/team/x/blobs/uploads/?mount={Digest.Of(secret)}", null, header);
            Assert.True(blind.Status == 202, $"{caller} without from: {blind.Status}");
            Assert.Equal(404, (await app.Registry.HeadAsync($"/v2/team/x/blobs/{Digest.Of(secret)}", header)).Status);
            Assert.Equal(403, (await app.Registry.HeadAsync($"/v2/secret/x/blobs/{Digest.Of(secret)}", header)).Status);
        }

        // Who may pull there mounts; with a bearer token only when the token says so too.
        await app.AddMemberAsync("secret", "alice", 3);
        var alice = PlatformApp.As("alice");
        async Task<(string, string)> Bearer(string scope) =>
            ("Authorization", "Bearer " + (await app.CallAsync("GET", $"/service/token?scope={Uri.EscapeDataString(scope)}", "alice")).Json["token"]);
        var narrow = await Bearer("repository:team/x:pull,push");
        Assert.Equal(202, (await app.Registry.PostAsync($"/v2/team/x/blobs/uploads/?mount={Digest.Of(secret)}&from=secret/x", null, narrow)).Status);
        var wide = await Bearer("repository:team/x:pull,push repository:secret/x:pull");
        Assert.Equal(201, (await app.Registry.PostAsync($"/v2/team/x/blobs/uploads/?mount={Digest.Of(secret)}&from=secret/x", null, wide)).Status);
        Assert.Equal(201, (await app.Registry.PostAsync($"/v2/team/y/blobs/uploads/?mount={Digest.Of(secret)}&from=secret/x", null, alice)).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_bearer_token_opens_what_it_grants_and_no_management(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        await app.AddProjectAsync("other");
        foreach (var (caller, header) in await CallersAsync(app))
        {
            var answer = await app.CallAsync("GET", "/service/token?scope=repository:team/x:pull%20repository:other/x:pull,push,delete", "", null, header);
            Assert.Equal("repository:team/x:pull", (string?)answer.Json["scope"]);
            var bearer = ("Authorization", "Bearer " + answer.Json["token"]);
            Assert.True(IsRefused(await app.Registry.PostAsync("/v2/team/x/blobs/uploads/", null, bearer)), caller);
            Assert.True(IsRefused(await app.Registry.GetAsync("/v2/team/y/tags/list", bearer)), caller);
            Assert.True(IsRefused(await app.Registry.GetAsync("/v2/other/x/tags/list", bearer)), caller);
            Assert.True(IsRefused(await app.Registry.GetAsync("/v2/_catalog", bearer)), caller);
            // A registry token is no credential of the management API, whoever has it.
            foreach (var path in new[] { "/api/v2.0/users/current", "/api/berth/v1/users/current/tokens", "/api/v2.0/robots" })
                Assert.Equal(401, (await app.CallAsync("GET", path, "", null, bearer)).Status);
            Assert.Equal(401, (await app.CallAsync("POST", "/api/berth/v1/users/current/tokens", "", """{"name":"x"}""", bearer)).Status);
        }
    }

    // A person, another one, a token of the first, and two robots: all may push to the project "team".
    private static async Task<IReadOnlyList<(string Name, (string, string) Header)>> CallersAsync(PlatformApp app)
    {
        await app.AddProjectAsync("team");
        var callers = new List<(string, (string, string))>();
        foreach (var user in new[] { "alice", "bob" })
        {
            await app.AddUserAsync(user);
            await app.AddMemberAsync("team", user, 2);
            callers.Add((user, PlatformApp.As(user)));
        }
        var token = await app.CallAsync("POST", "/api/berth/v1/users/current/tokens", "alice", """{"name":"ci","scopes":["team:push"]}""");
        callers.Add(("alice:token", PlatformApp.As("alice", (string)token.Json["token"]!)));
        foreach (var name in new[] { "one", "two" })
        {
            var robot = await app.CallAsync("POST", "/api/v2.0/robots", "admin", RobotsApiTests.OfProject(name, "team", "repository:pull repository:push"));
            callers.Add(($"robot {name}", PlatformApp.As("robot$team+" + name, (string)robot.Json["secret"]!)));
        }
        return callers;
    }

    private static string AccountOf(string caller) => caller.Split(':')[0];

    // 404 says that there is no such upload, which is what it is for others.
    private static bool IsRefused(Answer answer) => answer.Status is 401 or 403 or 404;
}
