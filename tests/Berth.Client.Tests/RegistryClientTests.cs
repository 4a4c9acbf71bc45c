using System.Text;
using Berth.Client.Credentials;
using Berth.Oci;
using Microsoft.AspNetCore.Http;

namespace Berth.Client.Tests;

public sealed class RegistryClientTests
{
    private static readonly byte[] Manifest = Encoding.UTF8.GetBytes($$$"""{"schemaVersion":2,"mediaType":"{{{MediaTypes.OciManifest}}}","config":{"mediaType":"{{{MediaTypes.OciConfig}}}","digest":"{{{Digest.Of([1])}}}","size":1},"layers":[]}""");
    private static readonly byte[] Blob = [.. Enumerable.Range(0, 300_000).Select(static i => (byte)(i * 7 / 3))];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_token_is_fetched_with_the_password_once_and_used_for_what_follows()
    {
        await using var server = await ScriptedRegistry.StartAsync(async (context, self) =>
        {
            if (context.Request.Path == "/token") await context.Response.WriteAsync("""{"token":"T1","expires_in":300}""");
            else if (context.Request.Headers.Authorization != "Bearer T1") Challenge(context, $"Bearer realm=\"http://{self.Host}/token?x=y\",service=\"s s\",scope=\"ignored\"");
            else await ManifestAsync(context);
        });
        using var client = ScriptedRegistry.Client(new RegistryCredential { UserName = "ann", Password = "pw" });
        await client.ManifestAsync(server.Reference("shop/web:1"), Ct);
        await client.ManifestAsync(server.Reference("shop/web:2"), Ct);
        Assert.Equal(
            [
                "GET /v2/shop/web/manifests/1",
                "GET /token?x=y&service=s%20s&scope=repository%3Ashop%2Fweb%3Apull&account=ann Basic " + Convert.ToBase64String("ann:pw"u8),
                "GET /v2/shop/web/manifests/1 Bearer T1", "GET /v2/shop/web/manifests/2 Bearer T1",
            ], server.Asked);
    }

    [Fact]
    public async Task An_identity_token_is_exchanged_and_a_refused_bearer_token_fetched_anew_once()
    {
        var tokens = 0;
        await using var server = await ScriptedRegistry.StartAsync(async (context, self) =>
        {
            if (context.Request.Path == "/token")
            {
                var form = await context.Request.ReadFormAsync(Ct);
                Assert.Equal(("refresh_token", "rt", "repository:x:pull"), (form["grant_type"].ToString(), form["refresh_token"].ToString(), form["scope"].ToString()));
                await context.Response.WriteAsync($$"""{"access_token":"T{{++tokens}}"}""");
            }
            else if (context.Request.Headers.Authorization != "Bearer T2") Challenge(context, $"Bearer realm=\"http://{self.Host}/token\"");
            else await ManifestAsync(context);
        });
        using var client = ScriptedRegistry.Client(new RegistryCredential { IdentityToken = "rt" });
        await client.ManifestAsync(server.Reference(), Ct);
        Assert.Equal(2, tokens);
    }

    [Fact]
    public async Task Basic_is_sent_when_asked_for_and_a_wrong_password_is_told_at_once()
    {
        await using var server = await ScriptedRegistry.StartAsync((context, _) =>
        {
            if (context.Request.Headers.Authorization == "Basic " + Convert.ToBase64String("ann:pw"u8)) return ManifestAsync(context);
            Challenge(context, "Basic realm=\"x\"");
            return context.Response.WriteAsync("""{"errors":[{"code":"UNAUTHORIZED","message":"who\u001b[31m are you"}]}""");
        });
        using var good = ScriptedRegistry.Client(new RegistryCredential { UserName = "ann", Password = "pw" });
        await good.ManifestAsync(server.Reference(), Ct);
        using var bad = ScriptedRegistry.Client(new RegistryCredential { UserName = "ann", Password = "no" });
        var refused = await Assert.ThrowsAsync<RegistryException>(() => bad.ManifestAsync(server.Reference(), Ct));
        Assert.Equal(RegistryFailure.Unauthorized, refused.Failure);
        Assert.Contains("who [31m are you", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String("ann:no"u8), refused.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_may_pass_is_tried_again_as_long_as_the_server_asks_for()
    {
        var answers = new Queue<int>([503, 429, 502, 200]);
        await using var server = await ScriptedRegistry.StartAsync((context, _) =>
        {
            var status = answers.Dequeue();
            context.Response.StatusCode = status;
            if (status == 429) context.Response.Headers.RetryAfter = "0";
            return status == 200 ? ManifestAsync(context) : Task.CompletedTask;
        });
        using var client = ScriptedRegistry.Client();
        Assert.Equal(Digest.Of(Manifest), (await client.ManifestAsync(server.Reference(), Ct)).Digest);
        Assert.Equal(4, server.Asked.Count);
    }

    [Theory]
    [InlineData(404, "", RegistryFailure.NotFound)]
    [InlineData(403, "", RegistryFailure.Denied)]
    [InlineData(400, "", RegistryFailure.Refused)]
    [InlineData(429, "3600", RegistryFailure.TooManyRequests)]
    public async Task What_will_not_pass_is_told_after_one_try(int status, string retryAfter, RegistryFailure expected)
    {
        await using var server = await ScriptedRegistry.StartAsync((context, _) =>
        {
            context.Response.StatusCode = status;
            if (retryAfter.Length > 0) context.Response.Headers.RetryAfter = retryAfter;
            return Task.CompletedTask;
        });
        using var client = ScriptedRegistry.Client();
        Assert.Equal(expected, (await Assert.ThrowsAsync<RegistryException>(() => client.ManifestAsync(server.Reference(), Ct))).Failure);
        Assert.Single(server.Asked);
    }

    [Fact]
    public async Task A_manifest_of_another_digest_or_without_end_or_sense_is_refused()
    {
        byte[] bytes = Manifest;
        await using var server = await ScriptedRegistry.StartAsync(async (context, _) =>
        {
            context.Response.ContentType = MediaTypes.OciManifest;
            context.Response.Headers["Docker-Content-Digest"] = Digest.Of(Manifest).Value;
            await context.Response.Body.WriteAsync(bytes);
        });
        using var client = ScriptedRegistry.Client(more: o => o with { MaxManifestBytes = 100_000 });
        await client.ManifestAsync(server.Reference(), Ct);
        Assert.Equal(RegistryFailure.WrongContent, (await Assert.ThrowsAsync<RegistryException>(() => client.ManifestAsync(server.Reference($"x@{Digest.Of([9])}"), Ct))).Failure);
        bytes = [.. Manifest, (byte)' '];
        Assert.Equal(RegistryFailure.WrongContent, (await Assert.ThrowsAsync<RegistryException>(() => client.ManifestAsync(server.Reference(), Ct))).Failure);
        bytes = new byte[200_000];
        Assert.Equal(RegistryFailure.TooLarge, (await Assert.ThrowsAsync<RegistryException>(() => client.ManifestAsync(server.Reference(), Ct))).Failure);
    }

    [Fact]
    public async Task A_redirect_is_followed_and_the_sign_in_stays_behind_at_another_server()
    {
        await using var store = await ScriptedRegistry.StartAsync((context, _) => context.Response.Body.WriteAsync(Blob).AsTask());
        await using var server = await ScriptedRegistry.StartAsync((context, _) =>
        {
            if (context.Request.Headers.Authorization.Count == 0) Challenge(context, "Basic realm=x");
            else context.Response.Redirect($"http://{store.Host}/bucket/blob?signature=1");
            return Task.CompletedTask;
        });
        using var client = ScriptedRegistry.Client(new RegistryCredential { UserName = "ann", Password = "pw" });
        Assert.Equal(Blob, await client.BlobAsync(server.Reference(), Described(Blob), 1 << 20, Ct));
        Assert.Equal(["GET /bucket/blob?signature=1"], store.Asked);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_blob_that_breaks_off_is_taken_up_where_it_was(bool hasRanges)
    {
        await using var server = await ScriptedRegistry.StartAsync(async (context, self) =>
        {
            var from = 0;
            if (hasRanges && context.Request.GetTypedHeaders().Range?.Ranges.Single().From is { } asked)
            {
                from = (int)asked;
                context.Response.StatusCode = 206;
                context.Response.Headers.ContentRange = $"bytes {from}-{Blob.Length - 1}/{Blob.Length}";
            }
            context.Response.ContentLength = Blob.Length - from;
            var count = self.Asked.Count >= 4 ? Blob.Length - from : Math.Min(Blob.Length - from, self.Asked.Count * 50_000);
            await context.Response.Body.WriteAsync(Blob.AsMemory(from, count));
            await context.Response.Body.FlushAsync();
            if (from + count < Blob.Length) context.Abort();
        });
        using var client = ScriptedRegistry.Client();
        Assert.Equal(Blob, await client.BlobAsync(server.Reference(), Described(Blob), 1 << 20, Ct));
        Assert.True(server.Asked.Count > 1);
    }

    [Fact]
    public async Task A_blob_of_another_content_or_size_is_refused()
    {
        byte[] bytes = [.. Blob];
        bytes[100_000] ^= 1;
        await using var server = await ScriptedRegistry.StartAsync((context, _) => context.Response.Body.WriteAsync(bytes).AsTask());
        using var client = ScriptedRegistry.Client();
        Assert.Equal(RegistryFailure.WrongContent, (await Assert.ThrowsAsync<RegistryException>(() => client.BlobAsync(server.Reference(), Described(Blob), 1 << 20, Ct))).Failure);
        Assert.Equal(RegistryFailure.TooLarge, (await Assert.ThrowsAsync<RegistryException>(() => client.BlobAsync(server.Reference(), Described(Blob), 1000, Ct))).Failure);
        await using var shorter = await ScriptedRegistry.StartAsync((context, _) =>
        {
            context.Response.ContentLength = 10;
            return context.Response.Body.WriteAsync(bytes.AsMemory(0, 10)).AsTask();
        });
        Assert.Equal(RegistryFailure.WrongContent, (await Assert.ThrowsAsync<RegistryException>(() => client.BlobAsync(shorter.Reference(), Described(Blob), 1 << 20, Ct))).Failure);
    }

    [Fact]
    public async Task A_download_goes_on_with_the_bytes_of_an_earlier_one_and_gives_up_wrong_ones()
    {
        await using var server = await ScriptedRegistry.StartAsync(async (context, _) =>
        {
            var from = (int)(context.Request.GetTypedHeaders().Range?.Ranges.Single().From ?? 0);
            if (from > 0)
            {
                context.Response.StatusCode = 206;
                context.Response.Headers.ContentRange = $"bytes {from}-{Blob.Length - 1}/{Blob.Length}";
            }
            await context.Response.Body.WriteAsync(Blob.AsMemory(from));
        });
        var folder = Directory.CreateTempSubdirectory("berth-client-").FullName;
        try
        {
            var path = Path.Join(folder, "blob");
            using var client = ScriptedRegistry.Client();
            await File.WriteAllBytesAsync(path + ".part", Blob[..100_000], Ct);
            long first = -1;
            await client.DownloadAsync(server.Reference(), Described(Blob), path, there => first = first < 0 ? there : first, Ct);
            Assert.Equal((100_000, Blob.Length), (first, (await File.ReadAllBytesAsync(path, Ct)).Length));
            File.Delete(path);
            await File.WriteAllBytesAsync(path + ".part", new byte[1000], Ct);
            await Assert.ThrowsAsync<RegistryException>(() => client.DownloadAsync(server.Reference(), Described(Blob), path, null, Ct));
            Assert.False(File.Exists(path));
            await client.DownloadAsync(server.Reference(), Described(Blob), path, null, Ct);
            Assert.Equal(Blob, await File.ReadAllBytesAsync(path, Ct));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Lists_are_read_page_by_page_on_the_same_server_only()
    {
        await using var server = await ScriptedRegistry.StartAsync((context, _) =>
        {
            var last = context.Request.Query["last"].ToString();
            context.Response.Headers.Link = last switch { "" => "</v2/x/tags/list?last=a>; rel=\"next\"", "a" => "<http://elsewhere.example.com/v2/x/tags/list?last=b>; rel=\"next\"", _ => "" };
            return context.Response.WriteAsync(last.Length == 0 ? """{"name":"x","tags":["a"]}""" : """{"tags":["b"]}""");
        });
        using var client = ScriptedRegistry.Client();
        Assert.Equal(["a", "b"], await client.TagsAsync(server.Reference(), Ct));
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_told_as_unreachable()
    {
        await using var gone = await ScriptedRegistry.StartAsync((_, _) => Task.CompletedTask);
        var reference = gone.Reference();
        await gone.DisposeAsync();
        using var client = ScriptedRegistry.Client(more: o => o with { MaxAttempts = 2 });
        Assert.Equal(RegistryFailure.Unreachable, (await Assert.ThrowsAsync<RegistryException>(() => client.ManifestAsync(reference, Ct))).Failure);
    }

    private static Descriptor Described(byte[] bytes) => new() { Digest = Digest.Of(bytes), Size = bytes.Length };

    private static void Challenge(HttpContext context, string value)
    {
        context.Response.StatusCode = 401;
        context.Response.Headers.WWWAuthenticate = value;
    }

    private static Task ManifestAsync(HttpContext context)
    {
        context.Response.ContentType = MediaTypes.OciManifest + "; charset=utf-8";
        return context.Response.Body.WriteAsync(Manifest).AsTask();
    }
}
