using System.Net;
using Berth.Blobs;
using Berth.Server.Platform.Storage;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Registry;

/// <summary>
/// Whether a GET of a blob is answered with a signed URL of its object store (307), so that the bytes do not pass through Berth: never for small blobs, never where
/// the rules of networks say no, and only where the store can sign.
/// </summary>
internal sealed class BlobRedirect
{
    private readonly BlobStores _stores;
    private readonly RedirectOptions _options;
    private readonly IPNetwork[] _networks;
    private readonly IPNetwork[] _except;

    public BlobRedirect(BlobStores stores, RedirectOptions options)
    {
        (_stores, _options) = (stores, options);
        _networks = [.. options.Networks.Select(IPNetwork.Parse)];
        _except = [.. options.ExceptNetworks.Select(IPNetwork.Parse)];
    }

    /// <summary>The URL; null when Berth serves the bytes itself.</summary>
    public ValueTask<Uri?> FindAsync(HttpContext context, CachedContent blob, CancellationToken ct)
    {
        if (!_options.Enabled || blob.Bytes is not null || blob.Size < _options.MinBytes) return default;
        var store = _stores[blob.Location.Store];
        if (!store.IsObjectStore || !IsFor(context.Connection.RemoteIpAddress)) return default;
        return store.SignReadAsync(blob.Location.PlaceOf(blob.Digest), _options.Lifetime, ct);
    }

    private bool IsFor(IPAddress? client)
    {
        if (client is null) return _networks.Length == 0 && _except.Length == 0;
        if (client.IsIPv4MappedToIPv6) client = client.MapToIPv4();
        foreach (var network in _except)
        {
            if (network.Contains(client)) return false;
        }
        if (_networks.Length == 0) return true;
        foreach (var network in _networks)
        {
            if (network.Contains(client)) return true;
        }
        return false;
    }
}
