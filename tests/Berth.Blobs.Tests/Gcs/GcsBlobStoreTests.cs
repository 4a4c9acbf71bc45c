using System.Net;
using Berth.Blobs.Gcs;
using Berth.Blobs.Objects;
using Berth.Blobs.Tests.Faults;
using Berth.Oci;

namespace Berth.Blobs.Tests.Gcs;

/// <summary>The contract, resumable uploads, signed URLs and faults on a double.</summary>
public sealed class GcsBlobStoreTests : BlobStoreContract, IAsyncLifetime
{
    private const int Multiple = 256 << 10;

    private readonly PartMemory _memory = new();
    private readonly List<IDisposable> _stores = [];
    private readonly GcsDouble _double = new();
    private IBlobStore _store = null!;

    protected override IBlobStore Store => _store;

    // What Google has it keeps.
    protected override bool GoesBackToOlderMarks => false;

    public ValueTask InitializeAsync()
    {
        _store = OtherReplica();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var store in _stores) store.Dispose();
        await _double.DisposeAsync();
    }

    protected override IBlobStore OtherReplica() => Open(o => o);

    protected override Task<IReadOnlyCollection<string>> ListRawAsync() => Task.FromResult(_double.Keys);

    protected override Task WriteRawAsync(string path, byte[] content)
    {
        _double.Put("root/" + path, content);
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_signed_URL_reads_the_content_without_credentials_for_a_while()
    {
        var content = Bytes(1000);
        var place = await PushAsync("up", content);
        using var http = new HttpClient();
        // By the key of the account, and by IAM where there is none.
        var url = await Store.SignReadAsync(place, TimeSpan.FromMinutes(5), None);
        Assert.Equal(content, await http.GetByteArrayAsync(url));
        using var tampered = await http.GetAsync(url!.AbsoluteUri.Replace("/up/up?", "/up/other?", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.Forbidden, tampered.StatusCode);
        using var longer = await http.GetAsync(url.AbsoluteUri.Replace("Expires=300", "Expires=900", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.Forbidden, longer.StatusCode);
        var cdn = await Open(o => o with { PublicEndpoint = "https://cdn.example.com" }).SignReadAsync(place, TimeSpan.FromMinutes(5), None);
        Assert.StartsWith("https://cdn.example.com/berth-tests/root/berth/blobs/up/up?X-Goog-Algorithm=GOOG4-RSA-SHA256&", cdn!.AbsoluteUri, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_is_fetched_once()
    {
        await PushAsync("a", Bytes(10));
        await PushAsync("b", Bytes(10));
        Assert.Equal(1, _double.Tokens);
    }

    [Fact]
    public async Task A_chunk_that_was_received_in_part_is_sent_on()
    {
        foreach (var received in new[] { 0, Multiple, 2 * Multiple })
        {
            var content = Bytes((2 * PartBytes) + 100, received);
            _double.ReceiveAtMost = received;
            var mark = await AppendAsync(Start($"up-{received}"), content);
            Assert.Equal(content, await ReadAsync(await CommitAsync(OtherReplica(), mark, Digest.Of(content))));
        }
    }

    [Fact]
    public async Task A_session_that_Google_forgot_means_that_the_bytes_are_missing()
    {
        var content = Bytes(PartBytes + Multiple + 100);
        var mark = await AppendAsync(Start("up"), content);
        _double.ForgetSessions();
        await Assert.ThrowsAsync<UploadBytesMissingException>(() => CommitAsync(mark, Digest.Of(content)));
        await Assert.ThrowsAsync<UploadBytesMissingException>(() => AppendAsync(mark, Bytes(2 * PartBytes)));
    }

    /// <summary>The service keeps what came first under the session; it is noticed that this is not what was hashed.</summary>
    [Fact]
    public async Task Bytes_that_another_process_sent_under_an_older_mark_are_not_believed()
    {
        var content = Bytes((3 * PartBytes) + 10);
        var mark = await AppendAsync(Start("up"), content[..PartBytes]);
        await AppendAsync(mark, Bytes(PartBytes, 9));
        mark = await AppendAsync(OtherReplica(), mark, content[PartBytes..]);
        await Assert.ThrowsAsync<UploadBytesMissingException>(() => CommitAsync(mark, Digest.Of(content)));
        Assert.Null(await Store.GetSizeAsync(Store.PlaceOf("up", Digest.Of(content)), None));
        // The same bytes again are as good as new ones.
        mark = await AppendAsync(Start("same"), content[..PartBytes]);
        await AppendAsync(mark, content[PartBytes..(2 * PartBytes)]);
        mark = await AppendAsync(OtherReplica(), mark, content[PartBytes..]);
        Assert.Equal(content, await ReadAsync(await CommitAsync(mark, Digest.Of(content))));
    }

    [Fact]
    public async Task A_missing_bucket_and_missing_credentials_are_errors_that_say_what_to_do()
    {
        var missing = await Assert.ThrowsAsync<IOException>(async () => await Open(o => o with { Bucket = "berth-none" }).ProbeAsync(None));
        Assert.Contains("bucket or container exists", missing.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<IOException>(async () => await Open(o => o with { Bucket = "berth-none" }).GetSizeAsync(Store.PlaceOf("up", Digest.Of([1])), None));
        var wrong = await Assert.ThrowsAsync<IOException>(async () => await Open(o => o with { CredentialsJson = "{}" }).ProbeAsync(None));
        Assert.Contains("name a key file", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Uploads_and_downloads_go_through_any_fault()
    {
        await using var proxy = new FaultProxy(_double.Url);
        var store = Open(o => o with { Endpoint = proxy.Url.AbsoluteUri, TryTimeout = TimeSpan.FromSeconds(2), RetryDelay = TimeSpan.FromMilliseconds(5), MaxTries = 10 });
        var seed = Random.Shared.Next();
        TestContext.Current.SendDiagnosticMessage("seed {0}", seed);
        proxy.SpoilAtRandom(seed, 0.25, Fault.Reset, Fault.InternalError, Fault.SlowDown, Fault.LostAnswer, Fault.DoneYet500, Fault.CutRequest(5000), Fault.CutAnswer(40_000));
        for (var i = 0; i < 6; i++)
        {
            var content = Bytes((i * 600_000) + 10, i);
            var mark = await AppendAsync(store, Start($"up{i}"), content[..(content.Length / 2)]);
            mark = await AppendAsync(store, mark, content[(content.Length / 2)..]);
            var place = await CommitAsync(store, mark, Digest.Of(content));
            Assert.Equal(content, await ReadAllAsync(await store.OpenReadAsync(place, 0, None)));
        }
        Assert.True(proxy.Injected > 5, $"seed {seed}: {proxy.Injected} faults");
    }

    [Fact]
    public void Checksums_of_pieces_make_that_of_the_whole()
    {
        Assert.Equal(0xE3069283u, Crc32C.Of("123456789"u8));
        var random = new Random(1);
        for (var i = 0; i < 50; i++)
        {
            var bytes = Bytes(random.Next(3000), i);
            var cut = random.Next(bytes.Length + 1);
            Assert.Equal(Crc32C.Of(bytes), Crc32C.Combine(Crc32C.Of(bytes.AsSpan(0, cut)), Crc32C.Of(bytes.AsSpan(cut)), bytes.Length - cut));
        }
    }

    [Fact]
    public void Settings_that_do_not_go_together_are_named()
    {
        string[] Of(GcsOptions options) => [.. options.Validate().Select(p => p.Setting)];
        Assert.Empty(Of(_double.Options));
        Assert.Equal(["Bucket"], Of(new GcsOptions()));
        Assert.Equal(["CredentialsJson", "KeyFile"], Of(_double.Options with { KeyFile = "/none" }));
        Assert.Equal(["Endpoint", "PartBytes"], Of(_double.Options with { Endpoint = "x", PartBytes = 300_000 }));
    }

    private IBlobStore Open(Func<GcsOptions, GcsOptions> change)
    {
        var store = GcsBlobStore.Open(change(_double.Options with { RootDirectory = "root" }), _memory, TimeProvider.System);
        _stores.Add((IDisposable)store);
        return store;
    }
}
