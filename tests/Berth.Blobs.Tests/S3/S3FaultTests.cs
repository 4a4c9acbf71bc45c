using System.Security.Cryptography;
using Berth.Blobs.Objects;
using Berth.Blobs.S3;
using Berth.Blobs.Tests.Faults;

namespace Berth.Blobs.Tests.S3;

/// <summary>The contract under faults, before a real server of S3's protocol.</summary>
public sealed class S3FaultTests : FaultContract, IAsyncLifetime
{
    private readonly string _root = "f/" + RandomNumberGenerator.GetHexString(12, lowercase: true);
    private readonly PartMemory _memory = new();
    private readonly List<IDisposable> _stores = [];
    private S3Server _server = null!;
    private IBlobStore _store = null!;

    protected override IBlobStore Store => _store;

    protected override int PartBytes => 5 << 20;

    public async ValueTask InitializeAsync()
    {
        _server = await S3Server.OpenAsync("BERTH_TEST_S3");
        _store = StartProxy(_server.Url);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var store in _stores) store.Dispose();
        await StopProxyAsync();
    }

    protected override IBlobStore OtherReplica() => OpenBy(Proxy.Url);

    protected override IBlobStore OpenBy(Uri proxy)
    {
        var options = _server.Options with
        {
            Endpoint = proxy.ToString(),
            RootDirectory = _root,
            TryTimeout = TimeSpan.FromSeconds(1),
            MaxTries = 5,
            FirstPause = TimeSpan.FromMilliseconds(10),
            MinBytesPerSecond = 4 << 20,
        };
        var store = S3BlobStore.Open(options, null, _memory, TimeProvider.System);
        _stores.Add((IDisposable)store);
        return store;
    }

    protected override Task<IReadOnlyCollection<string>> ListRawAsync() => _server.ListAsync(_root);

    protected override Task WriteRawAsync(string path, byte[] content) => _server.PutAsync($"{_root}/{path}", content);
}
