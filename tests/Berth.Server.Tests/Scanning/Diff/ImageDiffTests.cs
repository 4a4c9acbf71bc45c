using Berth.Server.Platform.Data;
using Berth.Server.Scanning.Contents;
using Berth.Server.Tests.Registry;
using static Berth.Server.Tests.Scanning.ScanningApp;

namespace Berth.Server.Tests.Scanning.Diff;

public sealed class ImageDiffTests
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task Two_images_differ_in_packages_and_findings_platform_by_platform(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var old = LayeredImage.New([[LayeredImage.Npm("left-pad", "1.3.0"), LayeredImage.Npm("gone", "1.0.0"), LayeredImage.Npm("same", "1.0.0")]]);
        var oldArm = LayeredImage.New([[LayeredImage.Npm("left-pad", "1.2.0")]], "arm64");
        var present = LayeredImage.New([[LayeredImage.Npm("left-pad", "1.3.1"), LayeredImage.Npm("right-pad", "1.0.0"), LayeredImage.Npm("same", "1.0.0")]]);
        var presentArm = LayeredImage.New([[LayeredImage.Npm("left-pad", "1.3.0")]], "arm64");
        foreach (var image in new[] { old, oldArm, present, presentArm }) await app.PushAsync("p/web", image.Digest.Value, image);
        await app.PushAsync("p/web", "1", TestImage.Index([old, oldArm]));
        await app.PushAsync("p/web", "2", TestImage.Index([present, presentArm]));
        const string Address = "/api/berth/v1/security/diff?from=p/web:1&to=p/web:2";
        Assert.Equal(404, (await app.CallAsync("GET", Address)).Status);
        await app.ScanAsync("1");
        await app.ScanAsync("2");

        var diff = await app.GetAsync(Address);
        Assert.Equal(["linux/amd64", "linux/arm64"], diff["platforms"]!.AsArray().Select(one => (string)one!["platform"]!).Order(StringComparer.Ordinal));
        var intel = diff["platforms"]!.AsArray().First(one => (string)one!["platform"]! == "linux/amd64")!;
        Assert.Equal(("right-pad", "gone", "left-pad"), ((string?)Assert.Single(intel["added"]!.AsArray())!["name"], (string?)Assert.Single(intel["removed"]!.AsArray())!["name"], (string?)Assert.Single(intel["changed"]!.AsArray())!["name"]));
        Assert.Equal(("1.3.0", "1.3.1"), ((string?)intel["changed"]![0]!["from"]![0], (string?)intel["changed"]![0]!["to"]![0]));
        Assert.Equal(("CVE-2020-1", "CVE-2020-2"), ((string?)Assert.Single(intel["fixed"]!.AsArray())!["id"], (string?)Assert.Single(intel["new"]!.AsArray())!["id"]));
        var arm = diff["platforms"]!.AsArray().First(one => (string)one!["platform"]! == "linux/arm64")!;
        Assert.Equal(("CVE-2020-1", "1.3.0"), ((string?)Assert.Single(arm["unchanged"]!.AsArray())!["id"], (string?)arm["unchanged"]![0]!["versions"]![0]));
        Assert.Empty(arm["new"]!.AsArray());

        // Who may not read one of them is not told that it is there.
        await app.AddUserAsync("bob");
        Assert.Equal(404, (await app.CallAsync("GET", Address, "bob")).Status);
        Assert.Equal(401, (await app.CallAsync("GET", Address, "")).Status);
        Assert.Equal(400, (await app.CallAsync("GET", "/api/berth/v1/security/diff?from=p/web&to=p/web:2")).Status);
    }

    [Theory]
    [InlineData("p/web:1", "p/web", "1")]
    [InlineData("p/a/b@sha256:00", "p/a/b", "sha256:00")]
    [InlineData("p/web", "", "")]
    [InlineData("web:1", "", "")]
    [InlineData("p/web:", "", "")]
    public void A_name_is_taken_apart(string text, string repository, string reference)
    {
        Assert.Equal(repository.Length > 0, ReadableArtifacts.TrySplit(text, out var name, out var rest));
        Assert.Equal((repository, reference), (name, rest));
    }
}
