using System.Net;
using System.Security.Cryptography;
using Berth.Blobs.Azure;
using Berth.Blobs.Objects;
using Berth.Blobs.Tests.Faults;
using Berth.Oci;

namespace Berth.Blobs.Tests.Azure;

/// <summary>The contract, signed URLs and faults on Azurite.</summary>
public sealed class AzureBlobStoreTests : BlobStoreContract, IAsyncLifetime
{
    private readonly string _root = "t/" + RandomNumberGenerator.GetHexString(12, lowercase: true);
    private readonly PartMemory _memory = new();
    private readonly List<IDisposable> _stores = [];
    private AzureServer _server = null!;
    private IBlobStore _store = null!;

    protected override IBlobStore Store => _store;

    public async ValueTask InitializeAsync()
    {
        _server = await AzureServer.OpenAsync();
        _store = OtherReplica();
    }

    public ValueTask DisposeAsync()
    {
        foreach (var store in _stores) store.Dispose();
        _server?.Dispose();
        return ValueTask.CompletedTask;
    }

    protected override IBlobStore OtherReplica() => Open(o => o);

    protected override Task<IReadOnlyCollection<string>> ListRawAsync() => _server.ListAsync(_root);

    protected override Task WriteRawAsync(string path, byte[] content) => _server.PutAsync($"{_root}/{path}", content);

    [Fact]
    public async Task A_signed_URL_reads_the_content_without_credentials_for_a_while()
    {
        var content = Bytes(1000);
        var place = await PushAsync("up", content);
        using var http = new HttpClient();
        var url = await Store.SignReadAsync(place, TimeSpan.FromMinutes(5), None);
        Assert.Equal(content, await http.GetByteArrayAsync(url));
        using var range = new HttpRequestMessage(HttpMethod.Get, url);
        range.Headers.Range = new(10, 19);
        using var part = await http.SendAsync(range);
        Assert.Equal(content[10..20], await part.Content.ReadAsByteArrayAsync());
        var expired = await Store.SignReadAsync(place, TimeSpan.FromSeconds(-5), None);
        using var refused = await http.GetAsync(expired);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        await _server.PutAsync($"{_root}/berth/blobs/up/other", [1]);
        using var tampered = await http.GetAsync(url!.AbsoluteUri.Replace("/up?", "/other?", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.Forbidden, tampered.StatusCode);
        using var written = await http.PutAsync(url, new ByteArrayContent([1]));
        Assert.False(written.IsSuccessStatusCode);
    }

    [Fact]
    public async Task A_signed_URL_names_the_public_endpoint()
    {
        var store = Open(o => o with { PublicEndpoint = "https://cdn.example.com/" });
        var url = await store.SignReadAsync(Store.PlaceOf("up", Digest.Of([1])), TimeSpan.FromMinutes(5), None);
        Assert.StartsWith($"https://cdn.example.com/berth-tests/{_root}/berth/blobs/up/up?", url!.AbsoluteUri, StringComparison.Ordinal);
        Assert.Contains("spr=https&", url.Query, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_shared_access_signature_is_enough_and_is_not_handed_out()
    {
        var key = new AzureSharedKey(_server.Options.AccountName, _server.Options.AccountKey);
        var expiry = AzureSas.Format(TimeProvider.System.GetUtcNow().AddHours(1));
        // An account's signature: permissions, services, resource types, start, expiry, address, protocol, version, encryption scope.
        var signature = key.Sign(string.Join('\n', _server.Options.AccountName, "rwdlac", "b", "co", "", expiry, "", "https,http", AzureAuthorization.Version, "", ""));
        var token = $"?sv={AzureAuthorization.Version}&ss=b&srt=co&sp=rwdlac&se={Uri.EscapeDataString(expiry)}&spr=https,http&sig={Uri.EscapeDataString(signature)}";
        var store = Open(o => o with { AccountKey = "", SasToken = token });
        var content = Bytes(PartBytes + 10);
        var mark = await AppendAsync(store, Start("up"), content);
        var place = await CommitAsync(store, mark, Digest.Of(content));
        Assert.Equal(content, await ReadAllAsync(await store.OpenReadAsync(place, 0, None)));
        await store.ProbeAsync(None);
        Assert.Null(await store.SignReadAsync(place, TimeSpan.FromMinutes(5), None));
        Assert.Single(await ListRawAsync());
    }

    [Fact]
    public async Task A_missing_container_and_a_wrong_key_are_errors_that_say_what_to_do()
    {
        var missing = await Assert.ThrowsAsync<IOException>(async () => await Open(o => o with { Container = "berth-none" }).ProbeAsync(None));
        Assert.Contains("container exists", missing.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<IOException>(async () => await Open(o => o with { Container = "berth-none" }).GetSizeAsync(Store.PlaceOf("up", Digest.Of([1])), None));
        var wrong = await Assert.ThrowsAsync<IOException>(async () => await Open(o => o with { AccountKey = "AAAA" }).ProbeAsync(None));
        Assert.Contains("check the credentials", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_access_tier_goes_with_each_blob()
    {
        var store = Open(o => o with { AccessTier = "Cool" });
        await store.WriteUploadAsync("small", Bytes(10), None);
        var mark = await AppendAsync(store, Start("large"), Bytes(PartBytes + 1));
        await CommitAsync(store, mark, Digest.Of(Bytes(PartBytes + 1)));
        foreach (var key in new[] { "sm/small", "la/large" }) Assert.Equal("Cool", await _server.HeaderAsync($"{_root}/berth/blobs/{key}", "x-ms-access-tier"));
    }

    [Fact]
    public async Task Uploads_and_downloads_go_through_any_fault()
    {
        var endpoint = new Uri(_server.Options.Endpoint);
        await using var proxy = new FaultProxy(endpoint);
        // The signature covers the path alone, so it holds at the proxy.
        var store = Open(o => o with
        {
            ServiceUrl = new Uri(proxy.Url, endpoint.AbsolutePath).AbsoluteUri,
            TryTimeout = TimeSpan.FromSeconds(2),
            RetryDelay = TimeSpan.FromMilliseconds(10),
            MaxTries = 10,
        });
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
            Assert.Equal(content.Length, await store.GetSizeAsync(place, None));
        }
        Assert.True(proxy.Injected > 5, $"seed {seed}: {proxy.Injected} faults");
        proxy.Heal();
        Assert.Equal(6, (await ListContentAsync()).Count);
    }

    [Fact]
    public async Task A_store_that_is_silent_or_down_is_unavailable()
    {
        var endpoint = new Uri(_server.Options.Endpoint);
        await using var proxy = new FaultProxy(endpoint);
        var store = Open(o => o with
        {
            ServiceUrl = new Uri(proxy.Url, endpoint.AbsolutePath).AbsoluteUri,
            TryTimeout = TimeSpan.FromMilliseconds(200),
            RetryDelay = TimeSpan.FromMilliseconds(1),
            MaxTries = 2,
        });
        foreach (var fault in new[] { Fault.Silence, Fault.SlowDown, Fault.Reset })
        {
            proxy.Spoil(fault, times: 100);
            await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.ProbeAsync(None));
            proxy.Heal();
        }
    }

    private IBlobStore Open(Func<AzureOptions, AzureOptions> change)
    {
        var store = AzureBlobStore.Open(change(_server.Options with { RootDirectory = _root }), _memory, TimeProvider.System);
        _stores.Add((IDisposable)store);
        return store;
    }
}
