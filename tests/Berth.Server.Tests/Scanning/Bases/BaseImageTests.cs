using System.Text.Json.Nodes;
using Berth.Server.Platform.Data;
using Berth.Server.Scanning.Bases;
using Berth.Server.Scanning.Contents;
using static Berth.Server.Tests.Scanning.ScanningApp;

namespace Berth.Server.Tests.Scanning.Bases;

public sealed class BaseImageTests
{
    private static readonly IReadOnlyList<(string, string)> s_system = [("etc/issue", "system")];
    private static readonly IReadOnlyList<(string, string)> s_runtime = [LayeredImage.Npm("left-pad", "1.3.0")];
    private static readonly IReadOnlyList<(string, string)> s_app = [LayeredImage.Npm("right-pad", "1.0.0")];

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Fact]
    public void Chain_ids_are_those_of_the_specification()
    {
        var (one, two) = ("sha256:" + new string('1', 64), "sha256:" + new string('2', 64));
        var chain = ChainIds.Of([one, two]);
        Assert.Equal(one, chain[0]);
        Assert.Equal(Oci.Digest.Of(System.Text.Encoding.UTF8.GetBytes($"{one} {two}")).Value, chain[1]);
        Assert.Empty(ChainIds.Of([one, "no digest"]));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_image_with_the_most_common_layers_is_the_base_and_only_shown_to_who_may_read_it(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await app.AddProjectAsync("base", isPublic: true);
        await app.AddProjectAsync("hidden");
        await app.PushAsync("base/system", "12", LayeredImage.New([s_system]));
        await app.PushAsync("hidden/runtime", "20", LayeredImage.New([s_system, s_runtime]));
        var image = LayeredImage.New([s_system, s_runtime, s_app], annotations: new JsonObject { ["org.opencontainers.image.base.name"] = "docker.io/library/node:20" });
        await app.PushAsync("p/web", "1", image);
        await app.ScanAsync("1");

        JsonNode shown = new JsonObject();
        // A project may be seen a moment after it was made.
        await Eventually.TrueAsync(async () =>
        {
            shown = (await app.GetAsync(Ours + "1/base-image"))["images"]![0]!;
            return shown["bases"]!.AsArray().Count == 2;
        }, "both bases are shown");
        Assert.Equal(["hidden/runtime 2", "base/system 1"], shown["bases"]!.AsArray().Select(one => $"{one!["repository"]} {one["layers"]}"));
        Assert.Equal(("20", "docker.io/library/node:20"), ((string?)shown["bases"]![0]!["tags"]![0], (string?)shown["stated_name"]));
        await app.AddUserAsync("ann");
        await app.AddMemberAsync("p", "ann", 2);
        Assert.Equal(["base/system"], (await app.GetAsync(Ours + "1/base-image", "ann"))["images"]![0]!["bases"]!.AsArray().Select(one => (string?)one!["repository"]));
        Assert.Equal("p/web", (string?)(await app.GetAsync("/api/berth/v1/projects/base/repositories/system/artifacts/12/base-image"))["images"]![0]!["derived"]!.AsArray()
            .First(one => one!["layers"]!.GetValue<int>() == 3)!["repository"]);

        // What is kept with findings knows of bases of the project and of public ones only: one layer.
        var row = await app.Database.ReadAsync(image.Digest.Value, static async (session, digest, ct) =>
            (await ContentRow.ReadAsync(session, [(await session.ScalarAsync(SelectId, [digest], ct))!.Value], ct)).Values.Single(), CancellationToken.None);
        Assert.Equal((1, "linux/amd64"), (row.BaseLayers, row.Platform));
        Assert.All((await app.GetAsync("/api/berth/v1/security/findings"))["items"]!.AsArray(), static one => Assert.False(one!["from_base"]!.GetValue<bool>()));
        // Once the runtime is public, what its layer brings is from the base.
        Assert.Equal(200, (await app.CallAsync("PUT", "/api/v2.0/projects/hidden", body: """{"metadata":{"public":"true"}}""")).Status);
        await app.ScanAsync("1");
        Assert.Equal(["left-pad True", "right-pad False"], (await app.GetAsync("/api/berth/v1/security/findings"))["items"]!.AsArray().Select(one => $"{one!["package"]} {one["from_base"]!.GetValue<bool>()}").Order(StringComparer.Ordinal));
    }

    private static readonly Statement SelectId = new("SELECT id FROM manifests WHERE digest = @0");
}
