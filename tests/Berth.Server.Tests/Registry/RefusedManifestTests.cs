using System.Text;
using Berth.Oci;
using Berth.Server.Registry;

namespace Berth.Server.Tests.Registry;

/// <summary>Documents that are refused: broken, ambiguous, hostile, outdated or against the settings.</summary>
public abstract class RefusedManifestTests(RegistryFixture fixture) : RegistryTests(fixture)
{
    private const string Config = """{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}""";

    public static TheoryData<string, string> Documents => new()
    {
        { "", MediaTypes.OciManifest },
        { "x", MediaTypes.OciManifest },
        { "[]", MediaTypes.OciManifest },
        { "null", MediaTypes.OciManifest },
        { "{", MediaTypes.OciManifest },
        { "{} {}", "application/x.any" },
        { "{\"a\":1,}", "application/x.any" },
        { "// no\n{}", "application/x.any" },
        // Depth.
        { "{\"a\":" + new string('[', 100_000), "application/x.any" },
        { "{\"a\":" + new string('[', 100) + new string(']', 100) + "}", "application/x.any" },
        // Fields that two readers may read differently.
        { $$"""{"schemaVersion":2,"config":{{Config}},"layers":[],"layers":[]}""", MediaTypes.OciManifest },
        { $$"""{"schemaVersion":2,"config":{{Config}},"layers":[],"manifests":[]}""", MediaTypes.OciManifest },
        { $$"""{"schemaVersion":2,"manifests":[],"layers":[]}""", MediaTypes.OciIndex },
        { $$"""{"schemaVersion":2,"manifests":[],"config":{{Config}} }""", MediaTypes.OciIndex },
        { $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","config":{{Config}},"layers":[]}""", MediaTypes.OciManifest },
        { $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.DockerManifest}}","config":{{Config}},"layers":[]}""", MediaTypes.OciManifest },
        // Missing and misshapen.
        { $$"""{"config":{{Config}},"layers":[]}""", MediaTypes.OciManifest },
        { $$"""{"schemaVersion":3,"config":{{Config}},"layers":[]}""", MediaTypes.OciManifest },
        { $$"""{"schemaVersion":"2","config":{{Config}},"layers":[]}""", MediaTypes.OciManifest },
        { $$"""{"schemaVersion":2e400,"config":{{Config}},"layers":[]}""", MediaTypes.OciManifest },
        { """{"schemaVersion":2,"layers":[]}""", MediaTypes.OciManifest },
        { $$"""{"schemaVersion":2,"config":{{Config}} }""", MediaTypes.OciManifest },
        { """{"schemaVersion":2}""", MediaTypes.OciIndex },
        { """{"schemaVersion":2,"config":"x","layers":[]}""", MediaTypes.OciManifest },
        { $$"""{"schemaVersion":2,"config":{{Config}},"layers":{} }""", MediaTypes.OciManifest },
        { $$"""{"schemaVersion":2,"config":{{Config}},"layers":[1]}""", MediaTypes.OciManifest },
        { $$"""{"schemaVersion":2,"config":{{Config}},"layers":[{}]}""", MediaTypes.OciManifest },
        { $$"""{"schemaVersion":2,"config":{{Config.Replace("sha256:", "SHA256:", StringComparison.Ordinal)}},"layers":[]}""", MediaTypes.OciManifest },
        { $$"""{"schemaVersion":2,"config":{{Config.Replace("\"size\":2", "\"size\":-2", StringComparison.Ordinal)}},"layers":[]}""", MediaTypes.OciManifest },
        { $$"""{"schemaVersion":2,"config":{{Config.Replace("\"size\":2", "\"size\":99999999999999999999", StringComparison.Ordinal)}},"layers":[]}""", MediaTypes.OciManifest },
        { $$"""{"schemaVersion":2,"config":{{Config.Replace(",\"size\":2", "", StringComparison.Ordinal)}},"layers":[]}""", MediaTypes.OciManifest },
        { $$"""{"schemaVersion":2,"config":{{Config}},"layers":[],"annotations":{"a":1} }""", MediaTypes.OciManifest },
        { $$"""{"schemaVersion":2,"config":{{Config}},"layers":[],"annotations":"a"}""", MediaTypes.OciManifest },
        { $$"""{"schemaVersion":2,"config":{{Config}},"layers":[],"artifactType":5}""", MediaTypes.OciManifest },
        { $$"""{"schemaVersion":2,"config":{{Config}},"layers":[],"subject":[]}""", MediaTypes.OciManifest },
        // Text that a database or a client chokes on.
        { $$"""{"schemaVersion":2,"config":{{Config}},"layers":[],"artifactType":"a\u0000b"}""", MediaTypes.OciManifest },
        { $$"""{"schemaVersion":2,"config":{{Config}},"layers":[],"artifactType":"a\ud800b"}""", MediaTypes.OciManifest },
        { $$"""{"schemaVersion":2,"config":{{Config}},"layers":[],"annotations":{"a":"\ud800"} }""", MediaTypes.OciManifest },
        { $$"""{"schemaVersion":2,"config":{{Config.Replace("vnd", "v\\u0000d", StringComparison.Ordinal)}},"layers":[]}""", MediaTypes.OciManifest },
        { """{"mediaType":"no type"}""", "" },
        { """{"mediaType":"a/b\u0000"}""", "" },
        { """{"mediaType":5}""", "" },
        // Schema 1.
        { """{"schemaVersion":1,"name":"a","tag":"b","fsLayers":[],"history":[]}""", MediaTypes.DockerSchema1 },
        { """{"schemaVersion":1,"name":"a","tag":"b","fsLayers":[],"history":[]}""", MediaTypes.DockerSchema1Signed },
        { """{"schemaVersion":1,"name":"a","tag":"b","fsLayers":[],"history":[]}""", "application/json" },
    };

    [Theory]
    [MemberData(nameof(Documents))]
    public async Task A_bad_document_is_refused_and_leaves_nothing(string document, string mediaType)
    {
        var repository = NewRepository();
        await App.PushBlobAsync(repository, "{}"u8.ToArray());
        var answer = (await App.PutManifestAsync(repository, "v1", Encoding.UTF8.GetBytes(document), mediaType)).MustBe(400, "MANIFEST_INVALID");
        Assert.NotEqual("", answer.Details[0]);
        (await App.GetAsync($"/v2/{repository}/manifests/v1")).MustBe(404, "MANIFEST_UNKNOWN");
        Assert.Empty((await App.GetAsync($"/v2/{repository}/tags/list")).Texts("tags"));
    }

    [Fact]
    public async Task Bytes_that_are_no_UTF8_are_refused()
    {
        byte[] document = [.. "{\"mediaType\":\"a/"u8, 0xff, 0xfe, .. "\"}"u8];
        (await App.PutManifestAsync(NewRepository(), "v1", document, "")).MustBe(400, "MANIFEST_INVALID");
    }

    [Fact]
    public async Task A_control_character_in_an_annotation_comes_back_in_the_referrers_list()
    {
        var (repository, image) = (NewRepository(), TestImage.New());
        await App.PushImageAsync(repository, "v1", image);
        var artifact = TestImage.Artifact(image.Descriptor, "application/x.test", annotations: new() { ["odd"] = "a\0b\n\"é" });
        await App.PushImageAsync(repository, artifact.Digest.Value, artifact);
        var listed = (await App.GetAsync($"/v2/{repository}/referrers/{image.Digest}")).MustBe(200);
        Assert.Equal("a\0b\n\"é", listed.Json.GetProperty("manifests")[0].GetProperty("annotations").GetProperty("odd").GetString());
    }

    [Theory]
    [InlineData("https://allowed.example/layer", 201)]
    [InlineData("https://allowed.example/denied/layer", 400)]
    [InlineData("https://other.example/layer", 400)]
    [InlineData("ftp://allowed.example/layer", 400)]
    [InlineData("https://allowed.example/layer#x", 400)]
    [InlineData("/layer", 400)]
    public async Task Addresses_of_layers_follow_the_settings(string url, int status)
    {
        await using var app = await RegistryApp.StartAsync(Kind, new RegistryOptions { ManifestUrlAllow = ["^(https|ftp)://allowed\\.example/", "^/"], ManifestUrlDeny = ["/denied/"] });
        await app.PushBlobAsync("a", "{}"u8.ToArray());
        var layer = $$"""{"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","digest":"{{Digest.Of([9])}}","size":1,"urls":["{{url}}"]}""";
        var answer = await app.PutManifestAsync("a", "v1", Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{{layer}}]}"""));
        if (status == 201) answer.MustBe(201);
        else answer.MustBe(400, "MANIFEST_INVALID");
    }

    [Fact]
    public async Task Classes_of_content_follow_the_settings()
    {
        await using var app = await RegistryApp.StartAsync(Kind, new RegistryOptions { RepositoryClasses = ["image"] });
        await app.PushImageAsync("a", "v1", TestImage.New());
        var artifact = TestImage.Artifact(null, "application/x.test");
        await app.PushBlobAsync("a", artifact.Blobs[0]);
        (await app.PutManifestAsync("a", "v2", artifact.Manifest)).MustBe(400, "MANIFEST_INVALID");
    }
}

public sealed class RefusedManifestTestsOnSqlite(SqliteRegistry registry) : RefusedManifestTests(registry), IClassFixture<SqliteRegistry>;

public sealed class RefusedManifestTestsOnPostgres(PostgresRegistry registry) : RefusedManifestTests(registry), IClassFixture<PostgresRegistry>;
