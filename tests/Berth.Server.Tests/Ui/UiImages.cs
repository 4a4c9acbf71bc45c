using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Oci;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Ui;

/// <summary>Images for pages: with a configuration and a history, pushed by the administrator as a client pushes.</summary>
internal static class UiImages
{
    /// <summary>An image whose layers and variables are given; its history has one instruction a layer.</summary>
    public static TestImage With(IReadOnlyList<string> layers, IReadOnlyList<string> env, string command = "run", JsonObject? annotations = null)
    {
        var config = new JsonObject
        {
            ["architecture"] = "amd64",
            ["os"] = "linux",
            ["config"] = new JsonObject { ["Env"] = new JsonArray([.. env.Select(e => JsonValue.Create(e))]), ["Cmd"] = new JsonArray(command) },
            ["history"] = new JsonArray([.. layers.Select(l => new JsonObject { ["created_by"] = $"COPY {l} /" })]),
        };
        var blobs = layers.Select(l => Encoding.UTF8.GetBytes($"layer {l} " + new string('x', l.Length * 100))).ToList();
        var bytes = Encoding.UTF8.GetBytes(config.ToJsonString());
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = TestImage.Describe(MediaTypes.OciConfig, bytes),
            ["layers"] = new JsonArray([.. blobs.Select(b => TestImage.Describe("application/vnd.oci.image.layer.v1.tar+gzip", b))]),
        };
        if (annotations is not null) manifest["annotations"] = annotations;
        return new TestImage(MediaTypes.OciManifest, Encoding.UTF8.GetBytes(manifest.ToJsonString()), [bytes, .. blobs]);
    }

    /// <summary>Pushes it.</summary>
    public static async Task PushAsync(this UiApp app, string repository, string reference, TestImage image, CancellationToken ct)
    {
        var client = app.Server.Program("admin", "Harbor12345");
        foreach (var blob in image.Blobs)
        {
            using var content = new ByteArrayContent(blob);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
            using var answer = await client.PostAsync(new Uri($"/v2/{repository}/blobs/uploads/?digest={Digest.Of(blob)}", UriKind.Relative), content, ct);
            answer.EnsureSuccessStatusCode();
        }
        using var manifest = new ByteArrayContent(image.Manifest);
        manifest.Headers.ContentType = new MediaTypeHeaderValue(image.MediaType);
        using var put = await client.PutAsync(new Uri($"/v2/{repository}/manifests/{reference}", UriKind.Relative), manifest, ct);
        put.EnsureSuccessStatusCode();
    }

    /// <summary>The manifest that a reference names; null when there is none.</summary>
    public static async Task<byte[]?> PullAsync(this UiApp app, string repository, string reference, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v2/{repository}/manifests/{reference}");
        request.Headers.Accept.ParseAdd(MediaTypes.OciManifest);
        request.Headers.Accept.ParseAdd(MediaTypes.OciIndex);
        using var answer = await app.Server.Program("admin", "Harbor12345").SendAsync(request, ct);
        return answer.IsSuccessStatusCode ? await answer.Content.ReadAsByteArrayAsync(ct) : null;
    }
}
