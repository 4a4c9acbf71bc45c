using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Berth.Server.Platform.Http;

/// <summary>
/// <c>X-Forwarded-For</c>, <c>-Proto</c> and <c>-Host</c> of trusted proxies. The list of addresses is read from the right, where each
/// proxy has added the one it was called from, as long as the hop that vouches for an entry is trusted; so the result is the last hop that is not one of
/// our proxies, whatever a client wrote to the left of it. Scheme and host are taken from the same place of their lists (or the
/// leftmost entry of a shorter list). A header of an untrusted sender and a malformed entry change nothing.
/// </summary>
public sealed class ForwardedHeaders
{
    private static readonly System.Buffers.SearchValues<char> s_notInHosts = System.Buffers.SearchValues.Create("/?#@\\ ");

    /// <summary>Entry of the settings that trusts the peer of a Unix socket.</summary>
    public const string UnixPeer = "unix";

    private const int MostHops = 32;
    private readonly IPNetwork[] _trusted;
    private readonly bool _trustUnix;

    /// <param name="trustedProxies">Addresses, networks in CIDR form, or <see cref="UnixPeer"/>; <see cref="Parse"/> says whether they are right.</param>
    public ForwardedHeaders(IEnumerable<string> trustedProxies)
    {
        var entries = trustedProxies.ToArray();
        _trustUnix = entries.Contains(UnixPeer);
        _trusted = [.. entries.Where(entry => entry != UnixPeer).Select(entry =>
            Parse(entry) ?? throw new FormatException($"trusted proxy \"{entry}\" is neither an address, nor a network such as 10.0.0.0/8, nor \"{UnixPeer}\""))];
    }

    /// <summary>Reads an address or network; null when it is neither. Bits behind the prefix are ignored.</summary>
    public static IPNetwork? Parse(string text)
    {
        var slash = text.IndexOf('/');
        if (!IPAddress.TryParse(slash < 0 ? text : text[..slash], out var address)) return null;
        var bits = address.GetAddressBytes().Length * 8;
        var prefix = bits;
        if (slash >= 0 && !(int.TryParse(text.AsSpan(slash + 1), System.Globalization.NumberStyles.None, null, out prefix) && prefix <= bits)) return null;
        var bytes = address.GetAddressBytes();
        for (var bit = prefix; bit < bits; bit++) bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        return new IPNetwork(new IPAddress(bytes), prefix);
    }

    /// <summary>
    /// The address that the connection itself comes from, whatever headers say: the last proxy's own. Null for a Unix socket.
    /// </summary>
    public static IPAddress? PeerOf(HttpContext context) =>
        context.Features.Get<ConnectionPeer>() is { } peer ? peer.Address : context.Connection.RemoteIpAddress;

    /// <summary>Replaces the connection's address and the request's scheme and host by what trusted proxies say.</summary>
    public void Apply(HttpContext context)
    {
        var connection = context.Features.GetRequiredFeature<IHttpConnectionFeature>();
        var remote = connection.RemoteIpAddress;
        if (!IsTrusted(remote)) return;

        var headers = context.Request.Headers;
        var hops = Entries(headers["X-Forwarded-For"]);
        var taken = 0;
        while (taken < Math.Min(hops.Length, MostHops) && IsTrusted(remote) && ParseAddress(hops[^(taken + 1)]) is { } hop)
        {
            remote = hop;
            taken++;
        }
        if (taken > 0)
        {
            context.Features.Set(new ConnectionPeer(connection.RemoteIpAddress));
            connection.RemoteIpAddress = remote;
            connection.RemotePort = 0;
        }
        var depth = Math.Max(1, taken);
        if (At(Entries(headers["X-Forwarded-Proto"]), depth) is { } scheme && IsScheme(scheme)) context.Request.Scheme = scheme.ToLowerInvariant();
        if (At(Entries(headers["X-Forwarded-Host"]), depth) is { } host && IsHost(host)) context.Request.Host = new HostString(host);
    }

    /// <summary>Whether an address is one of the trusted ones; null stands for the peer of a Unix socket.</summary>
    public bool IsTrusted(IPAddress? address)
    {
        if (address is null) return _trustUnix;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        foreach (var network in _trusted)
        {
            if (network.Contains(address)) return true;
        }
        return false;
    }

    private static string[] Entries(StringValues header) =>
        header.Count == 0 ? [] : header.ToString().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static string? At(string[] entries, int depth) => entries.Length == 0 ? null : entries[Math.Max(0, entries.Length - depth)];

    /// <summary>An address, with a port or not: <c>192.0.2.1</c>, <c>192.0.2.1:4711</c>, <c>2001:db8::1</c>, <c>[2001:db8::1]:4711</c>.</summary>
    private static IPAddress? ParseAddress(string text)
    {
        if (IPAddress.TryParse(text, out var address)) return address;
        return IPEndPoint.TryParse(text, out var endPoint) ? endPoint.Address : null;
    }

    private static bool IsScheme(string text) =>
        text.Equals("http", StringComparison.OrdinalIgnoreCase) || text.Equals("https", StringComparison.OrdinalIgnoreCase);

    private static bool IsHost(string text) => text.Length <= 260 && Uri.TryCreate("http://" + text, UriKind.Absolute, out var uri)
        && uri.PathAndQuery == "/" && uri.UserInfo.Length == 0 && !text.AsSpan().ContainsAny(s_notInHosts) && text.Length > 0;
}

/// <summary>The address of the peer, kept when a header has replaced the connection's.</summary>
internal sealed record ConnectionPeer(IPAddress? Address);
