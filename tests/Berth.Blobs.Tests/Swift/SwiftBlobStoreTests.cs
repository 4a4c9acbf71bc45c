using System.Net;
using System.Security.Cryptography;
using Berth.Blobs.Objects;
using Berth.Blobs.Swift;
using Berth.Oci;

namespace Berth.Blobs.Tests.Swift;

/// <summary>The contract on a real Swift by its native API.</summary>
public sealed class SwiftBlobStoreTests : BlobStoreContract, IAsyncLifetime
{
    private readonly string _prefix = "t-" + RandomNumberGenerator.GetHexString(12, lowercase: true);
    private readonly PartMemory _memory = new();
    private readonly List<IDisposable> _stores = [];
    private SwiftServer _server = null!;
    private IBlobStore _store = null!;

    protected override IBlobStore Store => _store;

    public async ValueTask InitializeAsync()
    {
        _server = await SwiftServer.OpenAsync();
        _store = OtherReplica();
        await _store.ProbeAsync(None);
    }

    public ValueTask DisposeAsync()
    {
        foreach (var store in _stores) store.Dispose();
        return ValueTask.CompletedTask;
    }

    protected override IBlobStore OtherReplica() => Open(o => o);

    protected override Task<IReadOnlyCollection<string>> ListRawAsync() => _server.ListAsync(_prefix);

    protected override Task WriteRawAsync(string path, byte[] content) => _server.PutAsync($"{_prefix}/files/{path}", content);

    private IBlobStore Open(Func<SwiftOptions, SwiftOptions> change)
    {
        var store = SwiftBlobStore.Open(change(_server.Options with { Prefix = _prefix }), _memory, TimeProvider.System);
        _stores.Add((IDisposable)store);
        return store;
    }

    /// <summary>Docker Registry writes segments and an empty object whose header names their prefix.</summary>
    [Fact]
    public async Task A_dynamic_large_object_of_Docker_Registry_is_read_listed_and_deleted_with_its_segments()
    {
        var content = Bytes(5000);
        var place = new BlobPlace(Digest.Of(content), null);
        var hex = place.Digest.Hex.ToString();
        await _server.PutAsync($"{_prefix}/segments/abc/def/0000000000000001", content[..3000]);
        await _server.PutAsync($"{_prefix}/segments/abc/def/0000000000000002", content[3000..]);
        await _server.PutAsync($"{_prefix}/files/docker/registry/v2/blobs/sha256/{hex[..2]}/{hex}/data", [], ("X-Object-Manifest", $"berth-native/{_prefix}/segments/abc/def"));
        Assert.Equal(content, await ReadAsync(place));
        Assert.Equal(5000, Assert.Single(await ListContentAsync()).Size);
        using (var reader = await Store.OpenReadAsync(place, 2990, None))
        {
            var buffer = new byte[20];
            await FillAsync(reader!, buffer, 2990);
            Assert.Equal(content[2990..3010], buffer);
        }
        await Store.DeleteAsync(place, None);
        Assert.Empty(await ListRawAsync());
    }

    [Fact]
    public async Task A_temporary_URL_reads_the_content_without_credentials_for_a_while()
    {
        foreach (var (size, isOfContainer) in new[] { (1000, true), (PartBytes + 10, false) })
        {
            var store = Open(o => o with { TempUrlContainerKey = isOfContainer, TempUrlDigest = isOfContainer ? "sha256" : "sha512" });
            var content = Bytes(size);
            var place = await PushAsync($"up-{size}", content);
            using var http = new HttpClient();
            var url = await store.SignReadAsync(place, TimeSpan.FromMinutes(5), None);
            Assert.Equal(content, await http.GetByteArrayAsync(url));
            using var expired = await http.GetAsync(await store.SignReadAsync(place, TimeSpan.FromSeconds(-5), None));
            Assert.Equal(HttpStatusCode.Unauthorized, expired.StatusCode);
            using var tampered = await http.GetAsync(url!.ToString().Replace($"up-{size}?", "other?", StringComparison.Ordinal));
            Assert.Equal(HttpStatusCode.Unauthorized, tampered.StatusCode);
        }
        Assert.Null(await Open(o => o with { TempUrlMethods = [] }).SignReadAsync(Store.PlaceOf("up", default), TimeSpan.FromMinutes(5), None));
        var outside = await Open(o => o with { PublicEndpoint = "https://swift.example.com" }).SignReadAsync(Store.PlaceOf("up", default), TimeSpan.FromMinutes(5), None);
        Assert.StartsWith($"https://swift.example.com/v1/AUTH_test/berth-native/{_prefix}/files/berth/blobs/up/up?temp_url_sig=", outside!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_that_is_not_there_is_made_and_reads_as_empty_before()
    {
        var store = Open(o => o with { Container = _prefix });
        Assert.Null(await store.GetSizeAsync(store.PlaceOf("up", default), None));
        await foreach (var found in store.ListContentAsync(None)) Assert.Fail($"{found} is listed");
        await store.WriteUploadAsync("up", Bytes(10), None);
        Assert.Equal(10, await store.GetSizeAsync(store.PlaceOf("up", default), None));
    }

    [Fact]
    public async Task Wrong_credentials_are_an_error_that_says_what_to_do()
    {
        var wrong = await Assert.ThrowsAsync<IOException>(async () => await Open(o => o with { Password = "wrong" }).ProbeAsync(None));
        Assert.Contains("check the credentials", wrong.Message, StringComparison.Ordinal);
    }
}
