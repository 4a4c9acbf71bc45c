using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Audit;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Administration;

/// <summary>One box finds tags and digests, of those that the caller may see.</summary>
public sealed class FindTests
{
    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task Tags_and_digests_are_found_where_the_caller_may_look(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        await app.AddUserAsync("alice");
        await AuditApiTests.MakeProjectAsync(app, "secret");
        var image = TestImage.New(1);
        await app.PushAsync("library/web/app", "3f2a9c1", image);
        await app.PushAsync("library/web/app", "v1.0", TestImage.New(2));
        await app.PushAsync("secret/web", "v1.0", TestImage.New(3));
        await app.PushAsync("secret/web", "v2.0", image);
        foreach (var (question, expected, seen) in new[]
        {
            ("v1.0", "library/web/app:v1.0 secret/web:v1.0", "library/web/app:v1.0"),
            ("3F2A9C1", "", ""),
            ("3f2a9c1", "library/web/app:3f2a9c1", "library/web/app:3f2a9c1"),
            ("web:v", "library/web/app:v1.0 secret/web:v1.0 secret/web:v2.0", "library/web/app:v1.0"),
            (image.Digest.Value[..20], "library/web/app:3f2a9c1 secret/web:v2.0", "library/web/app:3f2a9c1"),
            (image.Digest.Value[7..15], "library/web/app:3f2a9c1 secret/web:v2.0", "library/web/app:3f2a9c1"),
            ("sha256:12", "", ""),
            ("v1", "", ""),
            ("%:v1", "", ""),
        })
        {
            Assert.Equal(expected, await FindAsync(app, question, "admin"));
            Assert.Equal(seen, await FindAsync(app, question, "alice"));
        }
    }

    private static async Task<string> FindAsync(PlatformApp app, string question, string user) =>
        string.Join(' ', (await app.GetAsync($"/api/berth/v1/find?q={Uri.EscapeDataString(question)}", user))["items"]!.AsArray().Select(i => $"{i!["repository"]}:{i["tag"]}").Order(StringComparer.Ordinal));
}
