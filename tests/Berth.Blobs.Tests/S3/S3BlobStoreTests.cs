using System.Net;
using System.Security.Cryptography;
using Berth.Blobs.Objects;
using Berth.Blobs.S3;
using Berth.Oci;

namespace Berth.Blobs.Tests.S3;

/// <summary>The contract on a real server of S3's protocol.</summary>
public abstract class S3BlobStoreTests(string variable) : BlobStoreContract, IAsyncLifetime
{
    private readonly string _root = "t/" + RandomNumberGenerator.GetHexString(12, lowercase: true);
    private readonly PartMemory _memory = new();
    private readonly List<IDisposable> _stores = [];
    private S3Server _server = null!;
    private IBlobStore _store = null!;

    protected override IBlobStore Store => _store;

    protected override int PartBytes => 5 << 20;

    private protected S3Server Server => _server;

    private protected string Root => _root;

    public async ValueTask InitializeAsync()
    {
        _server = await S3Server.OpenAsync(variable);
        _store = OtherReplica();
    }

    public ValueTask DisposeAsync()
    {
        foreach (var store in _stores) store.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    protected override IBlobStore OtherReplica() => Open(o => o);

    protected override Task<IReadOnlyCollection<string>> ListRawAsync() => _server.ListAsync(_root);

    protected override Task WriteRawAsync(string path, byte[] content) => _server.PutAsync($"{_root}/{path}", content);

    private protected IBlobStore Open(Func<S3Options, S3Options> change)
    {
        var store = S3BlobStore.Open(change(_server.Options with { RootDirectory = _root }), null, _memory, TimeProvider.System);
        _stores.Add((IDisposable)store);
        return store;
    }

    [Fact]
    public async Task A_signed_URL_reads_the_content_without_credentials_for_a_while()
    {
        var content = Bytes(1000);
        var place = await PushAsync("up", content);
        using var http = new HttpClient();
        var url = await Store.SignReadAsync(place, TimeSpan.FromMinutes(5), None);
        Assert.Equal(content, await http.GetByteArrayAsync(url));
        var expired = await Store.SignReadAsync(place, TimeSpan.FromSeconds(-5), None);
        using var refused = await http.GetAsync(expired);
        Assert.True(refused.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.BadRequest, refused.StatusCode.ToString());
        using var tampered = await http.GetAsync(url!.ToString().Replace("/up?", "/other?", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.Forbidden, tampered.StatusCode);
    }

    [Fact]
    public async Task A_signed_URL_names_the_public_endpoint()
    {
        var url = await Open(o => o with { PublicEndpoint = "https://cdn.example.com" }).SignReadAsync(Store.PlaceOf("up", Digest.Of([1])), TimeSpan.FromMinutes(5), None);
        Assert.StartsWith($"https://cdn.example.com/berth-tests/{_root}/berth/blobs/up/up?", url!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_bucket_and_wrong_credentials_are_errors_that_say_what_to_do()
    {
        var missing = await Assert.ThrowsAsync<IOException>(async () => await Open(o => o with { Bucket = "berth-none" }).ProbeAsync(None));
        Assert.Contains("create the bucket", missing.Message, StringComparison.Ordinal);
        var wrong = await Assert.ThrowsAsync<IOException>(async () => await Open(o => o with { SecretKey = "wrong" }).ProbeAsync(None));
        Assert.Contains("check the credentials", wrong.Message, StringComparison.Ordinal);
        Assert.Contains("berth-tests", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Parts_of_one_size_each_will_do()
    {
        var store = Open(o => o with { EvenParts = true });
        var content = Bytes((2 * PartBytes) + 10);
        var mark = await AppendAsync(store, Start("even"), content[..(PartBytes + 5000)]);
        mark = await AppendAsync(store, mark, content[(PartBytes + 5000)..]);
        Assert.All(UploadState.Read(mark.State)!.Sizes, size => Assert.Equal(PartBytes, size));
        Assert.Equal(content, await ReadAsync(await CommitAsync(store, mark, Digest.Of(content))));
    }
}

/// <summary>On a server that does what AWS does.</summary>
public sealed class S3BlobStoreOnCephTests() : S3BlobStoreTests("BERTH_TEST_S3")
{
    [Theory]
    [InlineData("crc32")]
    [InlineData("sha256")]
    public async Task Checksums_and_chunks_as_AWS_has_them_will_do(string checksum)
    {
        var store = Open(o => o with { ChunkEncoding = true, Checksum = checksum });
        var content = Bytes(PartBytes + 10);
        var mark = await AppendAsync(store, Start("up"), content[..(PartBytes + 5)]);
        Assert.Contains($" {checksum}:", UploadState.Read(mark.State)!.Tags[0], StringComparison.Ordinal);
        mark = await AppendAsync(store, mark, content[(PartBytes + 5)..]);
        Assert.Equal(content, await ReadAsync(await CommitAsync(store, mark, Digest.Of(content))));
        await store.WriteUploadAsync("whole", content.AsMemory(0, 100), None);
        Assert.Equal(content[..100], await ReadAsync(store.PlaceOf("whole", Digest.Of(content.AsSpan(0, 100)))));
    }

    [Fact]
    public async Task Storage_class_ACL_and_user_agent_go_with_each_object()
    {
        var store = Open(o => o with { StorageClass = "STANDARD", ObjectAcl = "public-read", UserAgent = "tests/1" });
        await store.WriteUploadAsync("small", Bytes(10), None);
        var mark = await AppendAsync(store, Start("large"), Bytes(PartBytes + 1));
        await CommitAsync(store, mark, Digest.Of(Bytes(PartBytes + 1)));
        using var http = new HttpClient();
        foreach (var (key, size) in new[] { ("sm/small", 10), ("la/large", PartBytes + 1) })
            Assert.Equal(size, (await http.GetByteArrayAsync($"{Server.Url}berth-tests/{Root}/berth/blobs/{key}")).Length);
    }

    [Fact]
    public async Task More_objects_than_a_page_are_listed()
    {
        await Parallel.ForEachAsync(Enumerable.Range(0, 1005), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, ct) => await Store.WriteUploadAsync($"{i:x4}", Bytes(1), ct));
        var keys = (await ListContentAsync()).Select(c => c.Key).ToHashSet();
        Assert.Equal(1005, keys.Count);
    }
}

/// <summary>On a server that knows neither conditional writes nor batch deletes nor chunked bodies.</summary>
public sealed class S3BlobStoreOnSwiftTests() : S3BlobStoreTests("BERTH_TEST_S3_STRICT");
