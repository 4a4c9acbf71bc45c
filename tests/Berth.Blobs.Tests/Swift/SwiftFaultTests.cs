using System.Security.Cryptography;
using Berth.Blobs.Objects;
using Berth.Blobs.Swift;
using Berth.Blobs.Tests.Faults;

namespace Berth.Blobs.Tests.Swift;

/// <summary>The contract under faults, before a real Swift.</summary>
public sealed class SwiftFaultTests : FaultContract, IAsyncLifetime
{
    private readonly string _prefix = "f-" + RandomNumberGenerator.GetHexString(12, lowercase: true);
    private readonly PartMemory _memory = new();
    private readonly List<IDisposable> _stores = [];
    private SwiftServer _server = null!;
    private IBlobStore _store = null!;

    protected override IBlobStore Store => _store;

    public async ValueTask InitializeAsync()
    {
        _server = await SwiftServer.OpenAsync();
        _store = StartProxy(_server.AuthUrl);
        await _store.ProbeAsync(None);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var store in _stores) store.Dispose();
        await StopProxyAsync();
    }

    protected override IBlobStore OtherReplica() => OpenBy(Proxy.Url);

    protected override IBlobStore OpenBy(Uri proxy)
    {
        // The storage URL that Swift gives has the host that it was asked by: it leads through the proxy, too.
        var options = _server.Options with
        {
            AuthUrl = new Uri(proxy, _server.AuthUrl.AbsolutePath).ToString(),
            Prefix = _prefix,
            TryTimeout = TimeSpan.FromSeconds(1),
            MaxTries = 5,
            FirstPause = TimeSpan.FromMilliseconds(10),
            MinBytesPerSecond = 4 << 20,
        };
        var store = SwiftBlobStore.Open(options, _memory, TimeProvider.System);
        _stores.Add((IDisposable)store);
        return store;
    }

    protected override Task<IReadOnlyCollection<string>> ListRawAsync() => _server.ListAsync(_prefix);

    protected override Task WriteRawAsync(string path, byte[] content) => _server.PutAsync($"{_prefix}/files/{path}", content);
}
