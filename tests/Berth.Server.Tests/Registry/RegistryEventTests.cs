using System.Collections.Concurrent;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Registry;

/// <summary>Every change tells its event within its own transaction (<see cref="IRegistryEventWriter"/>).</summary>
public abstract class RegistryEventTests(RegistryFixture fixture) : RegistryTests(fixture)
{
    [Fact]
    public async Task Each_change_and_each_pull_is_told_once()
    {
        var writer = new Recorder();
        await using var app = await RegistryApp.StartAsync(Kind, services: s => s.AddSingleton<IRegistryEventWriter>(writer));
        var image = TestImage.New();
        await app.PushImageAsync("a", "v1", image);
        var pushed = writer.Take();
        Assert.Equal(4, pushed.Length);
        Assert.All(pushed, e => Assert.Equal((RegistryEventAction.Push, "a"), (e.Action, e.Repository)));
        Assert.Equal(image.Blobs.Select(b => (Digest.Of(b).Value, (long)b.Length, true, "application/octet-stream")), pushed[..3].Select(e => (e.Digest!, e.Size, e.IsBlob, e.MediaType)));
        var manifest = pushed[3];
        Assert.Equal((image.Digest.Value, "v1", MediaTypes.OciManifest, (long)image.Manifest.Length, false), (manifest.Digest, manifest.Tag, manifest.MediaType, manifest.Size, manifest.IsBlob));
        Assert.Equal(image.Blobs.Select(b => Digest.Of(b)), manifest.References.Select(r => r.Digest));
        Assert.Equal(("PUT", app.Url), (manifest.Request.Method, manifest.Request.BaseUrl));
        Assert.NotEqual("", manifest.Request.Id);

        (await app.PostAsync($"/v2/b/blobs/uploads/?mount={Digest.Of(image.Blobs[0])}&from=a")).MustBe(201);
        var mounted = Assert.Single(writer.Take());
        Assert.Equal((RegistryEventAction.Mount, "b", "a", true), (mounted.Action, mounted.Repository, mounted.FromRepository, mounted.IsBlob));

        (await app.GetAsync("/v2/a/manifests/v1", ("If-None-Match", $"\"{image.Digest}\""))).MustBe(304);
        Assert.Empty(writer.Take());
        (await app.HeadAsync("/v2/a/manifests/v1")).MustBe(200);
        await Eventually.TrueAsync(() => writer.Count == 1, "the HEAD is told");
        Assert.Equal("HEAD", writer.Take()[0].Request.Method);
        (await app.GetAsync("/v2/a/manifests/v1")).MustBe(200);
        (await app.GetAsync($"/v2/a/blobs/{Digest.Of(image.Blobs[1])}")).MustBe(200);
        await Eventually.TrueAsync(() => writer.Count == 2, "two pulls are told");
        Assert.Equal([(RegistryEventAction.Pull, "v1"), (RegistryEventAction.Pull, null)], writer.Take().Select(e => (e.Action, e.Tag)));

        (await app.DeleteAsync("/v2/a/manifests/v1")).MustBe(202);
        (await app.DeleteAsync($"/v2/a/manifests/{image.Digest}")).MustBe(202);
        (await app.DeleteAsync($"/v2/a/blobs/{Digest.Of(image.Blobs[0])}")).MustBe(202);
        Assert.Equal(
            [(null, "v1", false), (image.Digest.Value, null, false), (Digest.Of(image.Blobs[0]).Value, null, true)],
            writer.Take().Select(e => (e.Digest, e.Tag, e.IsBlob)));
    }

    [Fact]
    public async Task A_refused_change_tells_nothing()
    {
        var writer = new Recorder();
        await using var app = await RegistryApp.StartAsync(Kind, services: s => s.AddSingleton<IRegistryEventWriter>(writer));
        (await app.PutManifestAsync("a", "v1", TestImage.New().Manifest)).MustBe(404);
        (await app.DeleteAsync("/v2/a/manifests/v1")).MustBe(404);
        (await app.PostAsync($"/v2/a/blobs/uploads/?digest={Digest.Of([1])}", [2])).MustBe(400);
        Assert.Empty(writer.Take());
    }

    [Fact]
    public async Task A_change_whose_event_cannot_be_written_does_not_happen()
    {
        var writer = new Recorder();
        await using var app = await RegistryApp.StartAsync(Kind, services: s => s.AddSingleton<IRegistryEventWriter>(writer));
        var image = TestImage.New();
        await app.PushImageAsync("a", "v1", image);
        writer.Fails = true;
        (await app.PutManifestAsync("a", "v2", image.Manifest)).MustBe(500, "UNKNOWN");
        (await app.DeleteAsync("/v2/a/manifests/v1")).MustBe(500, "UNKNOWN");
        writer.Fails = false;
        Assert.Equal(["v1"], (await app.GetAsync("/v2/a/tags/list")).Texts("tags"));
    }

    private sealed class Recorder : IRegistryEventWriter
    {
        private readonly ConcurrentQueue<RegistryEvent> _events = new();

        public bool Fails { get; set; }

        public int Count => _events.Count;

        public bool Wants(RegistryEventAction action) => true;

        public ValueTask WriteAsync(DbSession session, RegistryEvent registryEvent, CancellationToken ct)
        {
            if (Fails) throw new InvalidOperationException("on purpose");
            Assert.NotNull(session);
            _events.Enqueue(registryEvent);
            return ValueTask.CompletedTask;
        }

        public RegistryEvent[] Take()
        {
            var taken = _events.ToArray();
            _events.Clear();
            return taken;
        }
    }
}

public sealed class RegistryEventTestsOnSqlite(SqliteRegistry registry) : RegistryEventTests(registry), IClassFixture<SqliteRegistry>;

public sealed class RegistryEventTestsOnPostgres(PostgresRegistry registry) : RegistryEventTests(registry), IClassFixture<PostgresRegistry>;
