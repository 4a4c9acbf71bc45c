using System.Net;
using System.Net.Http.Headers;
using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Uploads;

/// <summary>Uploads that are cut off and go on: the client asks where it was, and sends the rest.</summary>
public sealed class InterruptedUploadTests : IAsyncDisposable
{
    private const int BlobBytes = 24 << 20;
    private const int FirstPart = 15 << 20;
    private const int AcknowledgedPart = 4 << 20;
    private const string Repository = "uploads/cut";
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;
    private readonly TemporaryFolder folder = new("uploads");
    private RunningRegistry? registry;

    public async ValueTask DisposeAsync()
    {
        if (registry is not null)
        {
            await registry.DisposeAsync();
        }

        folder.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_upload_goes_on_after_the_registry_was_killed(bool withContentRange)
    {
        var on = registry = await RegistryUnderTest.Start(folder, Access.Open, ct);
        var blob = Content();
        var upload = await on.Http.StartUpload(Repository, ct);
        upload = await Patch(on, upload, blob.AsMemory(0, FirstPart), withContentRange ? 0 : null);

        await on.Kill();
        await on.Restart(ct);

        var (resumed, received) = await Status(on, upload);
        Assert.Equal(FirstPart, received);
        resumed = await Patch(on, resumed, blob.AsMemory(FirstPart), withContentRange ? FirstPart : null);
        await Finish(on, resumed, blob);
    }

    [Fact]
    public async Task An_upload_goes_on_after_a_broken_connection()
    {
        RegistryUnderTest.OnlyBerth("status of an upload whose last request broke off");
        var on = registry = await RegistryUnderTest.Start(folder, Access.Open, ct);
        var blob = Content();
        var upload = await on.Http.StartUpload(Repository, ct);
        await Assert.ThrowsAnyAsync<Exception>(() => Patch(on, upload, new BrokenOffContent(blob.AsMemory(0, FirstPart), BlobBytes)));

        var (resumed, received) = await StatusOnceSettled(on, upload);
        Assert.InRange(received, 0, FirstPart);
        resumed = await Patch(on, resumed, blob.AsMemory((int)received), received);
        await Finish(on, resumed, blob);
    }

    [Fact]
    public async Task An_upload_goes_on_after_the_registry_was_killed_in_the_middle_of_a_request()
    {
        RegistryUnderTest.OnlyBerth("status of an upload whose last request broke off");
        var on = registry = await RegistryUnderTest.Start(folder, Access.Open, ct);
        var blob = Content();
        var upload = await on.Http.StartUpload(Repository, ct);
        upload = await Patch(on, upload, blob.AsMemory(0, AcknowledgedPart), 0);
        var second = new BrokenOffContent(blob.AsMemory(AcknowledgedPart, FirstPart - AcknowledgedPart), BlobBytes - AcknowledgedPart, on.Kill);
        await Assert.ThrowsAnyAsync<Exception>(() => Patch(on, upload, second));
        await on.Restart(ct);

        var (resumed, received) = await Status(on, upload);
        Assert.InRange(received, AcknowledgedPart, FirstPart);
        resumed = await Patch(on, resumed, blob.AsMemory((int)received), received);
        await Finish(on, resumed, blob);
    }

    [Fact]
    public async Task What_was_acknowledged_is_there_after_the_registry_was_killed()
    {
        var on = registry = await RegistryUnderTest.Start(folder, Access.Open, ct);
        using var images = new TemporaryFolder("acknowledged");
        var layout = new OciLayoutWriter(images.Folder("oci"));
        var image = layout.Finish(layout.AddImage(ImageFormat.Oci, "amd64", [Layers.Gzip(layout, ImageFormat.Oci, LayerFile.Text("a", "a"))]));
        await on.Http.Push(Repository, "1", image, ct);
        await on.Kill();
        await on.Restart(ct);
        await on.Http.CheckSame(Repository, "1", image, ct);
    }

    private static byte[] Content()
    {
        var bytes = new byte[BlobBytes];
        new Random(20260101).NextBytes(bytes);
        return bytes;
    }

    private Task<Uri> Patch(RunningRegistry on, Uri upload, ReadOnlyMemory<byte> part, long? start)
    {
        var content = new ReadOnlyMemoryContent(part);
        if (start is { } first)
        {
            content.Headers.TryAddWithoutValidation("Content-Range", $"{first}-{first + part.Length - 1}");
        }

        return Patch(on, upload, content);
    }

    private async Task<Uri> Patch(RunningRegistry on, Uri upload, HttpContent content)
    {
        using (content)
        {
            content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
            using var response = await on.Http.Client.PatchAsync(upload, content, ct);
            Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
            return new Uri(upload, response.Headers.Location!);
        }
    }

    /// <summary>The status of an upload: where to go on, and how many bytes arrived (the answer says <c>0-last</c>).</summary>
    private async Task<(Uri Upload, long ReceivedBytes)> Status(RunningRegistry on, Uri upload)
    {
        using var response = await on.Http.Client.GetAsync(upload, ct);
        Assert.True(response.StatusCode == HttpStatusCode.NoContent, $"upload status: {(int)response.StatusCode}\n{on.LogTail()}");
        var last = long.Parse(response.Headers.GetValues("Range").Single().Split('-')[1], System.Globalization.CultureInfo.InvariantCulture);
        return (new Uri(upload, response.Headers.Location!), last == 0 ? 0 : last + 1);
    }

    /// <summary>The status once two answers agree: the registry may still be writing what arrived before the break.</summary>
    private async Task<(Uri Upload, long ReceivedBytes)> StatusOnceSettled(RunningRegistry on, Uri upload)
    {
        var before = await Status(on, upload);
        while (true)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, ct);
            var now = await Status(on, upload);
            if (now.ReceivedBytes == before.ReceivedBytes)
            {
                return now;
            }

            before = now;
        }
    }

    private async Task Finish(RunningRegistry on, Uri upload, byte[] blob)
    {
        var digest = OciLayoutWriter.DigestOf(blob);
        using var response = await on.Http.Client.PutAsync(RegistryHttp.WithDigest(upload, digest), null, ct);
        Assert.True(response.StatusCode == HttpStatusCode.Created, $"end of upload: {(int)response.StatusCode}\n{on.LogTail()}");
        Assert.Equal(digest, response.Headers.GetValues("Docker-Content-Digest").Single());
        await on.Http.CheckBlob(Repository, new ContentReference("application/octet-stream", digest, blob.Length), ct);
    }

    /// <summary>A body that promises more than it sends: <paramref name="whenSent"/> happens, then the connection breaks off.</summary>
    private sealed class BrokenOffContent(ReadOnlyMemory<byte> sent, long promisedBytes, Func<Task>? whenSent = null) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(sent);
            await stream.FlushAsync();
            if (whenSent is not null)
            {
                await whenSent();
            }

            throw new IOException("the connection broke off");
        }

        protected override bool TryComputeLength(out long length)
        {
            length = promisedBytes;
            return true;
        }
    }
}
