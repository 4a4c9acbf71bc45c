using System.Text;
using Berth.Oci;

namespace Berth.Torture.Fuzz;

/// <summary>Requests out of their mind against the running server, byte for byte over sockets.</summary>
public sealed class HttpFuzzTests
{
    private const string Hex = "6c3c624b58dbbcd3c0dd82b4c53f04194d1247c6eebdaab7c610cf7d66709b3b";

    private static readonly string[] Methods = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"];

    private static readonly string[] Paths =
    [
        "/v2/", "/v2/_catalog?n=5&last=a", "/v2/a/b/manifests/latest", $"/v2/a/manifests/sha256:{Hex}?tag=x&tag=y", $"/v2/a/blobs/sha256:{Hex}", "/v2/a/blobs/uploads/",
        $"/v2/a/blobs/uploads/?digest=sha256:{Hex}", $"/v2/a/blobs/uploads/?mount=sha256:{Hex}&from=b", "/v2/a/blobs/uploads/?digest-algorithm=sha512",
        "/v2/a/blobs/uploads/0123456789abcdef0123456789abcdef", $"/v2/a/blobs/uploads/0123456789abcdef0123456789abcdef?digest=sha256:{Hex}",
        "/v2/a/tags/list?n=3&last=x", $"/v2/a/referrers/sha256:{Hex}?artifactType=a/b&n=1",
    ];

    /// <summary>What other servers have fallen for; each also runs as a plain test.</summary>
    public static TheoryData<string> Traversals =>
    [
        "/v2/../../../etc/passwd", "/v2/..%2f..%2f..%2fetc/passwd", "/v2/%2e%2e/%2e%2e/etc/passwd", "/v2/%2e%2e%2f%2e%2e%2fetc%2fpasswd/tags/list", "/v2/a/..%5c..%5cetc/manifests/latest",
        "/v2/a/manifests/../../../../../../etc/passwd", "/v2/a/manifests/..%2f..%2f..%2fetc%2fpasswd", "/v2/a/manifests/%2e%2e", "/v2/a/manifests/..", "/v2/a/blobs/..%2f..%2f..%2flatest",
        "/v2/a/blobs/sha256:..%2f..%2f..%2f..%2fetc%2fpasswd", "/v2/a/blobs/sha256:../../../../etc/passwd", "/v2/a/blobs/uploads/..%2f..%2f..%2fetc%2fpasswd", "/v2/a/blobs/uploads/%2e%2e%2f%2e%2e%2flatest",
        "/v2/a/blobs/uploads/..", "/v2/a%00/tags/list", "/v2/a/tags/list%00.json", "/v2/a/manifests/x%00y", "/v2/%c0%ae%c0%ae/tags/list", "/v2/a/blobs/uploads/?digest=sha256:..%2f..%2fetc%2fpasswd",
        "/v2/a/blobs/uploads/?mount=..%2f..%2fetc&from=..%2f..%2fetc", "/v2/a/blobs/uploads/?from=%00&mount=%00", "/v2/a/tags/list?last=%00", "/v2/_catalog?last=..%2f%00", "//v2/a/tags/list", "/v2//a/tags/list",
        "/v2/a/manifests/" + "%2e", "/v2/./a/../b/tags/list", "/v2/a;b/tags/list", "/v2/a\\b/tags/list",
    ];

    [Theory]
    [MemberData(nameof(Traversals))]
    public async Task A_path_that_climbs_gets_nowhere(string path)
    {
        await using var server = await FuzzServer.StartAsync();
        foreach (var method in Methods)
        {
            var answer = await server.Http.SendAsync(Request(method, path, "", "canary"u8.ToArray()));
            Assert.NotNull(answer);
            answer.MustKeepThePromises(method, path);
            if (method is "GET" && path.StartsWith("/v2/a", StringComparison.Ordinal) && !path.Contains("last=", StringComparison.Ordinal)) Assert.InRange(answer.Status, 400, 499);
            Assert.DoesNotContain("canary", answer.Text, StringComparison.Ordinal);
        }
        await server.MustHaveStayedInsideAsync();
    }

    [Fact]
    public async Task Changed_paths_keep_the_promises()
    {
        await using var server = await FuzzServer.StartAsync();
        await FuzzServer.LoopAsync(async random =>
        {
            var method = Mutations.Pick<string>(random, Methods);
            var path = Mutations.Text(random, Mutations.Pick<string>(random, Paths));
            if (!path.StartsWith("/v2/", StringComparison.Ordinal)) path = "/v2/" + path;
            var answer = await server.Http.SendAsync(Request(method, path, "", random.Next(2) == 0 ? [] : "x"u8.ToArray()));
            answer?.MustKeepThePromises(method, path);
        });
        await server.MustHaveStayedInsideAsync();
    }

    [Fact]
    public async Task Changed_headers_keep_the_promises()
    {
        await using var server = await FuzzServer.StartAsync();
        var blob = Enumerable.Range(0, 1000).Select(i => (byte)i).ToArray();
        var digest = Digest.Of(blob);
        Assert.Equal(201, (await server.Http.SendAsync(Request("POST", $"/v2/a/blobs/uploads/?digest={digest}", "", blob)))!.Status);
        await FuzzServer.LoopAsync(async random =>
        {
            var headers = new StringBuilder();
            for (var i = random.Next(1, 5); i > 0; i--)
            {
                headers.Append(Mutations.Text(random, Mutations.Pick(random,
                    "Range: bytes=0-99", "Range: bytes=0-1,5-9,-3", $"If-Range: \"{digest}\"", $"If-None-Match: \"{digest}\"", "If-Match: *", "Content-Range: 0-99", "Content-Range: bytes 0-99/100",
                    "Content-Type: application/vnd.oci.image.manifest.v1+json", "Accept: application/vnd.docker.distribution.manifest.v2+json, */*;q=0.1", "Authorization: Basic YTpi", "Transfer-Encoding: chunked",
                    "Expect: 100-continue", "Host: evil.example", "X-Forwarded-Proto: https", "X-Request-Id: abc", "Cookie: a=b", "Upgrade: h2c"), most: 2)).Append("\r\n");
            }
            var method = Mutations.Pick<string>(random, Methods);
            var path = Mutations.Pick(random, $"/v2/a/blobs/{digest}", "/v2/a/manifests/latest", "/v2/a/blobs/uploads/", "/v2/a/tags/list", $"/v2/a/referrers/{digest}");
            var answer = await server.Http.SendAsync(Request(method, path, headers.ToString(), random.Next(2) == 0 ? [] : blob), endsInput: true);
            answer?.MustKeepThePromises(method);
        });
        await server.MustHaveStayedInsideAsync();
    }

    [Fact]
    public async Task Changed_manifests_keep_the_promises()
    {
        await using var server = await FuzzServer.StartAsync();
        Assert.Equal(201, (await server.Http.SendAsync(Request("POST", $"/v2/a/blobs/uploads/?digest={Digest.Of("{}"u8)}", "", "{}"u8.ToArray())))!.Status);
        var descriptor = $$"""{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{{Digest.Of("{}"u8)}}","size":2}""";
        var manifest = Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","artifactType":"a/b","config":{{descriptor}},"layers":[{{descriptor}}],"subject":{{descriptor}},"annotations":{"k":"v"} }""");
        Assert.Equal(201, (await server.Http.SendAsync(Request("PUT", "/v2/a/manifests/good", $"Content-Type: {MediaTypes.OciManifest}\r\n", manifest)))!.Status);
        await FuzzServer.LoopAsync(async random =>
        {
            var content = Mutations.Bytes(random, manifest);
            var type = Mutations.Pick(random, MediaTypes.OciManifest, MediaTypes.OciManifest, MediaTypes.OciIndex, "application/x.any", "", "text");
            var put = await server.Http.SendAsync(Request("PUT", "/v2/a/manifests/fuzz", type.Length == 0 ? "" : $"Content-Type: {type}\r\n", content));
            Assert.NotNull(put);
            put.MustKeepThePromises("PUT");
            if (put.Status != 201) return;
            // What was taken comes back byte for byte, and the lists that show it stay readable.
            Assert.Equal(content, (await server.Http.SendAsync(Request("GET", "/v2/a/manifests/fuzz", "", [])))!.Body);
            var referrers = (await server.Http.SendAsync(Request("GET", $"/v2/a/referrers/{Digest.Of("{}"u8)}", "", [])))!;
            Assert.Equal(200, referrers.Status);
            using var json = System.Text.Json.JsonDocument.Parse(referrers.Body);
            Assert.NotEqual(0, json.RootElement.GetProperty("manifests").GetArrayLength());
        });
        await server.MustHaveStayedInsideAsync();
    }

    [Fact]
    public async Task Whatever_is_done_to_an_upload_its_blob_is_right_or_not_there()
    {
        await using var server = await FuzzServer.StartAsync();
        await FuzzServer.LoopAsync(async random =>
        {
            var content = new byte[random.Next(1, 3000)];
            random.NextBytes(content);
            var digest = Digest.Of(content, random.Next(2) == 0 ? DigestAlgorithm.Sha256 : DigestAlgorithm.Sha512);
            var started = (await server.Http.SendAsync(Request("POST", "/v2/u/blobs/uploads/", "", [])))!;
            var path = new Uri(started.Headers["Location"]).AbsolutePath;
            for (var step = random.Next(1, 8); step > 0; step--)
            {
                var (first, length) = (random.Next(content.Length), random.Next(1, 1500));
                var part = content[first..Math.Min(content.Length, first + length)];
                var range = Mutations.Pick(random, "", $"Content-Range: {first}-{first + part.Length - 1}\r\n", $"Content-Range: {Mutations.Text(random, "0-99", 2)}\r\n");
                var (method, target) = Mutations.Pick(random, ("PATCH", path), ("PATCH", path), ("GET", path), ("PUT", $"{path}?digest={digest}"), ("PUT", path), ("DELETE", path), ("PATCH", Mutations.Text(random, path, 1)));
                if (!target.StartsWith("/v2/", StringComparison.Ordinal)) continue;
                var answer = await server.Http.SendAsync(Request(method, target, range, method == "GET" ? [] : part), endsInput: true);
                answer?.MustKeepThePromises(method, target);
            }
            var blob = (await server.Http.SendAsync(Request("GET", $"/v2/u/blobs/{digest}", "", [])))!;
            if (blob.Status == 200) Assert.Equal(content, blob.Body);
            else Assert.Equal(404, blob.Status);
        });
        await server.MustHaveStayedInsideAsync();
    }

    internal static byte[] Request(string method, string path, string headers, byte[] body)
    {
        var length = body.Length > 0 || method is "PUT" or "POST" or "PATCH" ? $"Content-Length: {body.Length}\r\n" : "";
        return [.. Encoding.UTF8.GetBytes($"{method} {path} HTTP/1.1\r\nHost: x\r\n{headers}{length}Connection: close\r\n\r\n"), .. body];
    }
}
