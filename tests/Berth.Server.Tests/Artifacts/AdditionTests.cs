using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Registry;
using static Berth.Server.Tests.Artifacts.ArtifactSite;

namespace Berth.Server.Tests.Artifacts;

public sealed class AdditionTests(ArtifactSites sites) : IClassFixture<ArtifactSites>
{
    private const string ChartConfig = "application/vnd.cncf.helm.config.v1+json";
    private const string ChartLayer = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    private const string ModelType = "application/vnd.cncf.model.manifest.v1+json";

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task An_image_has_its_build_history(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        var config = new JsonObject { ["os"] = "linux", ["history"] = new JsonArray(new JsonObject { ["created_by"] = "RUN a" }) };
        await site.PushAsync($"{project}/app", "v1", ImageWith(config));
        var path = ArtifactsOf($"{project}/app", "/v1/additions/");
        var history = await site.ExpectAsync(200, "GET", path + "build_history");
        Assert.Equal("RUN a", history.Json[0]!["created_by"]!.GetValue<string>());
        Assert.Equal("application/json; charset=utf-8", history.Header("Content-Type"));
        await site.ExpectAsync(200, "GET", path + "BUILD_HISTORY", await site.AddUserAsync(project, 5));

        await site.ExpectAsync(400, "GET", path + "values.yaml");
        await site.ExpectAsync(404, "GET", ArtifactsOf($"{project}/app", "/v2/additions/build_history"));
        await site.ExpectAsync(401, "GET", path + "build_history", "");
        await site.ExpectAsync(403, "GET", path + "build_history", await site.AddUserAsync(project, 0));
        await site.PushAsync($"{project}/app", "multi", TestImage.Index([ImageWith(config)]));
        await site.ExpectAsync(400, "GET", ArtifactsOf($"{project}/app", "/multi/additions/build_history"));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_chart_has_values_readme_and_dependencies(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        var config = new JsonObject { ["name"] = "web", ["version"] = "1.2.0", ["dependencies"] = new JsonArray(new JsonObject { ["name"] = "redis", ["version"] = "1" }) };
        var archive = Pack(("web/Chart.yaml", "name: web"), ("web/charts/redis/values.yaml", "inner: 1"), ("web/values.yaml", "replicas: 2"), ("web/README.md", "# Web"));
        await site.PushAsync($"{project}/web", "1.2.0", ImageWith(config, ChartConfig, layers: (ChartLayer, archive, null)));
        var path = ArtifactsOf($"{project}/web", "/1.2.0");

        var shown = await site.App.GetAsync(path);
        Assert.Equal(("CHART", "web"), (shown["type"]!.GetValue<string>(), shown["extra_attrs"]!["name"]!.GetValue<string>()));
        Assert.Equal(["dependencies", "readme.md", "values.yaml"], shown["addition_links"]!.AsObject().Select(l => l.Key).Order());
        Assert.Equal("replicas: 2", (await site.ExpectAsync(200, "GET", path + "/additions/values.yaml")).Body);
        var readme = await site.ExpectAsync(200, "GET", path + "/additions/readme.md");
        Assert.Equal(("# Web", "text/markdown; charset=utf-8"), (readme.Body, readme.Header("Content-Type")));
        Assert.Equal("redis", (await site.ExpectAsync(200, "GET", path + "/additions/dependencies")).Json[0]!["name"]!.GetValue<string>());
        await site.ExpectAsync(400, "GET", path + "/additions/build_history");
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_chart_that_is_no_archive_is_refused_by_name(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        var bomb = Pack(("web/big", new string('0', 70 << 20)), ("web/values.yaml", "late: true"));
        Assert.True(bomb.Length < 1 << 20);
        byte[][] layers = [RegistryTests.Bytes(3000), Encoding.ASCII.GetBytes("plain"), Pack(("web/values.yaml", "x"))[..20], bomb];
        for (var i = 0; i < layers.Length; i++)
        {
            await site.PushAsync($"{project}/odd", $"v{i}", ImageWith(new JsonObject { ["name"] = i }, ChartConfig, layers: (ChartLayer, layers[i], null)));
            await site.ExpectAsync(422, "GET", ArtifactsOf($"{project}/odd", $"/v{i}/additions/values.yaml"));
            Assert.Equal("[]", (await site.ExpectAsync(200, "GET", ArtifactsOf($"{project}/odd", $"/v{i}/additions/dependencies"))).Body);
        }
        await site.PushAsync($"{project}/odd", "empty", ImageWith(new JsonObject { ["name"] = "e" }, ChartConfig));
        Assert.Equal("", (await site.ExpectAsync(200, "GET", ArtifactsOf($"{project}/odd", "/empty/additions/values.yaml"))).Body);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_model_has_files_readme_and_licence(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        static JsonObject At(string path) => new() { ["org.cncf.model.filepath"] = path };
        var model = ImageWith(
            new JsonObject { ["descriptor"] = new JsonObject { ["name"] = "tiny" } }, "application/vnd.cncf.model.config.v1+json", ModelType,
            layers: [
                ("application/vnd.cncf.model.weight.v1.raw", RegistryTests.Bytes(900), At("weights/part-1.bin")),
                ("application/vnd.cncf.model.doc.v1.raw", "# Tiny"u8.ToArray(), At("README.md")),
                ("application/vnd.cncf.model.doc.v1.tar", Tar(("LICENSE", "free")), At("LICENSE")),
                ("application/vnd.cncf.model.doc.v1.raw", "x"u8.ToArray(), At("../up")),
            ]);
        await site.PushAsync($"{project}/tiny", "v1", model);
        var path = ArtifactsOf($"{project}/tiny", "/v1");
        Assert.Equal(("CNAI", ModelType), ((await site.App.GetAsync(path))["type"]!.GetValue<string>(), (await site.App.GetAsync(path))["artifact_type"]!.GetValue<string>()));
        Assert.Equal("# Tiny", (await site.ExpectAsync(200, "GET", path + "/additions/readme.md")).Body);
        Assert.Equal("free", (await site.ExpectAsync(200, "GET", path + "/additions/license")).Body);
        var files = (await site.ExpectAsync(200, "GET", path + "/additions/files")).Json.AsArray();
        Assert.Equal(["weights", "LICENSE", "README.md"], files.Select(f => f!["name"]!.GetValue<string>()));
        Assert.Equal(900, files[0]!["children"]![0]!["size"]!.GetValue<int>());

        await site.PushAsync($"{project}/tiny", "bare", ImageWith(new JsonObject { ["n"] = 1 }, "application/vnd.cncf.model.config.v1+json", ModelType));
        await site.ExpectAsync(404, "GET", ArtifactsOf($"{project}/tiny", "/bare/additions/readme.md"));
        Assert.Equal("[]", (await site.ExpectAsync(200, "GET", ArtifactsOf($"{project}/tiny", "/bare/additions/files"))).Body);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_wasm_module_and_an_sbom_are_known(DatabaseKind kind)
    {
        var site = await sites.GetAsync(kind);
        var project = await site.AddProjectAsync();
        await site.PushAsync($"{project}/wasm", "v1", ImageWith(new JsonObject { ["n"] = 1 }, "application/vnd.wasm.config.v1+json",
            layers: ("application/vnd.wasm.content.layer.v1+wasm", "asm"u8.ToArray(), new JsonObject { ["org.opencontainers.image.title"] = "m.wasm" })));
        var wasm = await site.App.GetAsync(ArtifactsOf($"{project}/wasm", "/v1"));
        Assert.Equal(("WASM", "m.wasm"), (wasm["type"]!.GetValue<string>(), wasm["extra_attrs"]!["org.opencontainers.image.title"]!.GetValue<string>()));

        var sbom = ImageWith(new JsonObject { ["n"] = 2 }, "application/vnd.goharbor.harbor.sbom.v1", layers: ("application/vnd.goharbor.harbor.sbom.v1", "{\"sbom\":1}"u8.ToArray(), null));
        await site.PushAsync($"{project}/sbom", "v1", sbom);
        Assert.Equal("{\"sbom\":1}", (await site.ExpectAsync(200, "GET", ArtifactsOf($"{project}/sbom", "/v1/additions/sbom"))).Body);

        await site.PushAsync($"{project}/compat", "v1", ImageWith(new JsonObject { ["os"] = "wasi" }, annotations: new JsonObject { ["module.wasm.image/variant"] = "compat" }));
        var compat = await site.App.GetAsync(ArtifactsOf($"{project}/compat", "/v1"));
        Assert.Equal(("WASM", "wasi", "application/vnd.wasm.config.v1+json"),
            (compat["type"]!.GetValue<string>(), compat["extra_attrs"]!["os"]!.GetValue<string>(), compat["media_type"]!.GetValue<string>()));
    }

    [Fact]
    public async Task A_tar_that_lies_about_sizes_is_refused_without_memory_for_them()
    {
        var header = Tar(("web/values.yaml", "x"))[..512];
        foreach (var (offset, bytes) in ((int, byte[])[])[(124, "77777777777\0"u8.ToArray()), (124, [0x80, 0, 0, 0, 0x7f, 255, 255, 255, 255, 255, 255, 255]), (124, "9zzzzzzzzzz\0"u8.ToArray())])
        {
            var lie = header.ToArray();
            bytes.CopyTo(lie, offset);
            await Assert.ThrowsAsync<InvalidDataException>(() => TarEntries.ReadAsync(new MemoryStream(lie), _ => true, 1000, (_, _) => true, CancellationToken.None));
        }
        var pax = header.ToArray();
        pax[156] = (byte)'x';
        "00000100000\0"u8.CopyTo(pax.AsSpan(124));
        await Assert.ThrowsAsync<InvalidDataException>(() => TarEntries.ReadAsync(new MemoryStream(pax), _ => true, 1000, (_, _) => true, CancellationToken.None));
    }

    [Fact]
    public async Task Long_names_of_both_forms_are_read()
    {
        var name = "web/" + new string('d', 150) + "/values.yaml";
        foreach (var format in (TarEntryFormat[])[TarEntryFormat.Pax, TarEntryFormat.Gnu])
        {
            var seen = new List<string>();
            await TarEntries.ReadAsync(new MemoryStream(Tar(format, (name, "x"))), _ => true, 1000, (n, _) =>
            {
                seen.Add(n);
                return true;
            }, CancellationToken.None);
            Assert.Equal([name], seen);
        }
    }

    private static byte[] Pack(params (string Name, string Text)[] files)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize)) gzip.Write(Tar(files));
        return packed.ToArray();
    }

    private static byte[] Tar(params (string Name, string Text)[] files) => Tar(TarEntryFormat.Ustar, files);

    private static byte[] Tar(TarEntryFormat format, params (string Name, string Text)[] files)
    {
        using var archive = new MemoryStream();
        using (var writer = new TarWriter(archive, format, leaveOpen: true))
        {
            foreach (var (name, text) in files)
            {
                TarEntry entry = format switch
                {
                    TarEntryFormat.Pax => new PaxTarEntry(TarEntryType.RegularFile, name),
                    TarEntryFormat.Gnu => new GnuTarEntry(TarEntryType.RegularFile, name),
                    _ => new UstarTarEntry(TarEntryType.RegularFile, name),
                };
                entry.DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text));
                writer.WriteEntry(entry);
            }
        }
        return archive.ToArray();
    }
}
