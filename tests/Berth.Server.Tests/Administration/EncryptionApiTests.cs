using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Administration;

public sealed class EncryptionApiTests
{
    private const string Url = "/api/berth/v1/encryption";

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task Data_keys_are_rotated_and_wrapped_anew_until_the_old_master_key_can_go(DatabaseKind kind)
    {
        var (first, second) = (NewKey(), NewKey());
        await using var app = await PlatformApp.StartAsync(kind, o => o with { Storage = o.Storage with { Encryption = new() { Enabled = true, MasterKey = new() { Value = first } } } });
        await app.AddProjectAsync("alpha", isPublic: true);
        var (old, late, last) = (TestImage.New(seed: 41), TestImage.New(seed: 42), TestImage.New(seed: 43));
        await app.PushAsync("alpha/app", "old", old);
        var before = Assert.Single(Keys(await app.GetAsync(Url)));

        var rotated = await PostAsync("rotate");
        Assert.Equal([(Keys(rotated)[0].Id, true), (before.Id, false)], Keys(rotated).Select(k => (k.Id, k.IsCurrent)));
        await app.PushAsync("alpha/app", "late", late);
        await PullAllAsync(("old", old), ("late", late));

        // The new master key first, beside the old one; then the old one goes.
        await app.Registry.RestartAsync(o => o with
        {
            Storage = o.Storage with { Encryption = new() { Enabled = true, MasterKey = new() { Value = second }, FormerMasterKeys = [new() { Value = first }] } },
        });
        Assert.Equal(2, (await app.GetAsync(Url))["wrapped_by_others"]!.GetValue<int>());
        var rewrapped = await PostAsync("rewrap");
        Assert.Equal(0, rewrapped["wrapped_by_others"]!.GetValue<int>());
        Assert.All(rewrapped["data_keys"]!.AsArray(), k => Assert.Equal(rewrapped["master_key_id"]!.GetValue<string>(), k!["master_key_id"]!.GetValue<string>()));
        await app.Registry.RestartAsync(o => o with { Storage = o.Storage with { Encryption = new() { Enabled = true, MasterKey = new() { Value = second } } } });
        await app.PushAsync("alpha/app", "last", last);
        await PullAllAsync(("old", old), ("late", late), ("last", last));

        var audited = (await app.GetAsync("/api/v2.0/auditlog-exts?q=resource_type=data-key")).AsArray().Select(e => $"{e!["operation"]} {e["username"]}");
        Assert.Equal(["create admin", "update admin"], audited.Order());

        async Task<JsonNode> PostAsync(string what)
        {
            var answer = await app.CallAsync("POST", $"{Url}/{what}");
            Assert.True(answer.Status == 200, answer.Body);
            return answer.Json;
        }

        async Task PullAllAsync(params (string Tag, TestImage Image)[] images)
        {
            foreach (var (tag, image) in images)
            {
                foreach (var blob in image.Blobs)
                    Assert.Equal(blob, (await app.Registry.GetAsync($"/v2/alpha/app/blobs/{Digest.Of(blob)}", PlatformApp.As("admin"))).MustBe(200).Body);
                (await app.Registry.GetAsync($"/v2/alpha/app/manifests/{tag}", PlatformApp.As("admin"))).MustBe(200);
            }
        }
    }

    [Fact]
    public async Task Only_administrators_may_and_only_where_something_is_encrypted()
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite);
        await app.AddUserAsync("ann");
        foreach (var (method, path) in new[] { ("GET", Url), ("POST", Url + "/rotate"), ("POST", Url + "/rewrap") }) Assert.Equal(403, (await app.CallAsync(method, path, "ann")).Status);
        Assert.False((await app.GetAsync(Url))["is_enabled"]!.GetValue<bool>());
        Assert.Equal(409, (await app.CallAsync("POST", Url + "/rotate")).Status);
        Assert.Equal(409, (await app.CallAsync("POST", Url + "/rewrap")).Status);
    }

    [Fact]
    public async Task Another_replica_takes_up_the_new_key_without_a_restart()
    {
        RegistryApp.SkipWithout(DatabaseKind.Postgres);
        await using var a = await PlatformApp.StartAsync(DatabaseKind.Postgres, o => o with { Storage = o.Storage with { Encryption = new() { Enabled = true, MasterKey = new() { Value = NewKey() } } } });
        await using var b = await a.AddReplicaAsync();
        await a.AddProjectAsync("alpha", isPublic: true);
        await b.PushAsync("alpha/app", "old", TestImage.New(seed: 44));
        var current = Guid.Parse(Keys((await a.CallAsync("POST", Url + "/rotate")).Json)[0].Id);
        var seed = 45;
        await Eventually.TrueAsync(async () =>
        {
            await b.PushAsync("alpha/app", "new", TestImage.New(seed++));
            return (await b.Services.GetRequiredService<BlobStores>().Keys!.CurrentAsync(CancellationToken.None)).Id == current;
        }, "the other replica encrypts with the new key");
    }

    private static List<(string Id, bool IsCurrent)> Keys(JsonNode answer) =>
        [.. answer["data_keys"]!.AsArray().Select(k => (k!["id"]!.GetValue<string>(), k["is_current"]!.GetValue<bool>()))];

    private static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
}
