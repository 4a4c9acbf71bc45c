using System.Text.Json.Nodes;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Integrity;

public sealed class StoresApiTests
{
    [Fact]
    public async Task An_administrator_lists_stores_and_moves_blobs_between_them()
    {
        var folder = Directory.CreateTempSubdirectory("berth-test-").FullName;
        await using (var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite, o => o with { Storage = o.Storage with { Stores = [new() { Name = "second", Root = folder }] } }))
        {
            await app.PushAsync("library/app", "v1", TestImage.New(seed: 1));
            var blobs = (await StoresAsync(app))["default"]!["blobs"]!.GetValue<long>();
            Assert.True(blobs > 0);
            var refused = await app.CallAsync("POST", "/api/berth/v1/stores/moves", body: """{"from":"default","to":"third"}""");
            Assert.Equal((400, true), (refused.Status, refused.Message.Contains("third", StringComparison.Ordinal)));
            await app.AddUserAsync("ann");
            Assert.Equal(403, (await app.CallAsync("GET", "/api/berth/v1/stores", "ann")).Status);

            var address = await app.CreateAsync("/api/berth/v1/stores/moves", """{"from":"default","to":"second"}""");
            await Eventually.TrueAsync(async () => (await app.GetAsync(address))["status"]!.GetValue<string>() == "Success", "all is moved");
            Assert.Equal(blobs, (await app.GetAsync(address))["moved"]!.GetValue<long>());
            var stores = await StoresAsync(app);
            Assert.Equal((0L, blobs), (stores["default"]!["blobs"]!.GetValue<long>(), stores["second"]!["blobs"]!.GetValue<long>()));
            Assert.Single((await app.GetAsync("/api/berth/v1/stores/moves")).AsArray());
            Assert.Equal(200, (await app.CallAsync("DELETE", address)).Status);
        }
        Directory.Delete(folder, recursive: true);
    }

    private static async Task<Dictionary<string, JsonNode?>> StoresAsync(PlatformApp app) =>
        (await app.GetAsync("/api/berth/v1/stores")).AsArray().ToDictionary(store => store!["name"]!.GetValue<string>());
}
