using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Berth.Server.Platform.Http;

/// <summary>
/// Keeps requests to addresses that users name away from the server's own network (server-side request forgery). A name is resolved here, each
/// address it has is judged, and the connection goes to a judged address: what the name means a moment later does not matter. Redirects are
/// not followed, proxies of the environment are not used.
/// </summary>
public sealed class OutgoingGuard
{
    private static readonly IPNetwork[] s_notPublic =
    [
        .. new[]
        {
            // https://www.iana.org/assignments/iana-ipv4-special-registry and -ipv6-special-registry: whatever is not reachable for everybody.
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
            "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "::/128", "::1/128", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
        }.Select(IPNetwork.Parse),
    ];

    private static readonly IPNetwork s_sixToFour = IPNetwork.Parse("2002::/16");
    private static readonly IPNetwork s_nat64 = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork s_localNat64 = IPNetwork.Parse("64:ff9b:1::/48");
    private static readonly IPNetwork s_compatible = IPNetwork.Parse("::/96");

    private readonly List<IPNetwork> _networks = [];
    private readonly List<string> _hosts = [];

    /// <param name="options">What is allowed beside public addresses.</param>
    /// <exception cref="ArgumentException">An entry is neither a network nor a host name.</exception>
    public OutgoingGuard(OutgoingOptions options)
    {
        foreach (var entry in options.Allow)
        {
            if (IPNetwork.TryParse(entry, out var network)) _networks.Add(network);
            else if (IPAddress.TryParse(entry, out var address)) _networks.Add(new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128));
            else if (IsAllowEntry(entry)) _hosts.Add(entry.ToLowerInvariant());
            else throw new ArgumentException($"\"{entry}\" is neither a network, an address nor a host name");
        }
    }

    /// <summary>Whether a text can stand in <see cref="OutgoingOptions.Allow"/>.</summary>
    public static bool IsAllowEntry(string entry) =>
        IPNetwork.TryParse(entry, out _) || Uri.CheckHostName(entry.StartsWith("*.", StringComparison.Ordinal) ? entry[2..] : entry) != UriHostNameType.Unknown;

    /// <summary>
    /// Why a request to an address would be refused for certain, without asking a name server; null when it may be tried. For a first word to whoever enters
    /// the address: the connection is what is guarded.
    /// </summary>
    public string? ProblemOf(Uri address)
    {
        if (!address.IsAbsoluteUri || address.Scheme is not ("http" or "https")) return "the address must begin with http:// or https://";
        if (address.UserInfo.Length > 0) return "the address must not hold a user or password";
        if (IPAddress.TryParse(address.IdnHost.Trim('[', ']'), out var ip) && !IsAllowed(ip)) return Refusal(address.IdnHost, ip);
        return address.IdnHost.TrimEnd('.').ToLowerInvariant() is "localhost" && !IsAllowedHost("localhost") ? Refusal("localhost", IPAddress.Loopback) : null;
    }

    /// <summary>Whether connections to an address are allowed.</summary>
    public bool IsAllowed(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (_networks.Exists(n => n.Contains(address))) return true;
        if (Array.Exists(s_notPublic, n => n.Contains(address)) || s_localNat64.Contains(address)) return false;
        return EmbeddedIn(address) is not { } inner || IsAllowed(inner);
    }

    /// <summary>A handler whose connections are guarded.</summary>
    /// <param name="verifyCertificates">False: any certificate of the other side will do.</param>
    /// <param name="connectTimeout">Time limit of one connection, name resolution included.</param>
    public SocketsHttpHandler NewHandler(bool verifyCertificates, TimeSpan connectTimeout)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ConnectTimeout = connectTimeout,
            ConnectCallback = (context, ct) => ConnectAsync(context.DnsEndPoint, ct),
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            MaxResponseHeadersLength = 16,
            MaxResponseDrainSize = 64 * 1024,
            ResponseDrainTimeout = TimeSpan.FromSeconds(1),
        };
        if (!verifyCertificates)
        {
#pragma warning disable CA5359 // The owner of the policy has asked for it (skip_cert_verify), as Harbor lets them.
            handler.SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true };
#pragma warning restore CA5359
        }
        return handler;
    }

    /// <summary>Connects to a host, to an address of it that is allowed.</summary>
    /// <exception cref="OutgoingRefusedException">None of its addresses is.</exception>
    public async ValueTask<Stream> ConnectAsync(DnsEndPoint target, CancellationToken ct)
    {
        var (allowed, refusal) = await JudgeAsync(target.Host, ct).ConfigureAwait(false);
        if (refusal is not null) throw new OutgoingRefusedException(refusal);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            // All of them are judged: whichever answers.
            await socket.ConnectAsync(allowed, target.Port, ct).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Why an administrator's try of a directory or provider is refused; null when it may be made. Such servers stand inside as a rule, and an administrator could put
    /// them in force as well: all of them may be tried, until <see cref="OutgoingOptions.Allow"/> says which.
    /// </summary>
    /// <exception cref="SocketException">The name cannot be resolved.</exception>
    public async ValueTask<string?> ProblemOfTryAsync(string host, CancellationToken ct) =>
        _networks.Count == 0 && _hosts.Count == 0 ? null : (await JudgeAsync(host, ct).ConfigureAwait(false)).Refusal;

    // The addresses of a host to which connections are allowed, or why there is none.
    private async ValueTask<(IPAddress[] Allowed, string? Refusal)> JudgeAsync(string host, CancellationToken ct)
    {
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(host, ct).ConfigureAwait(false);
        var allowed = IsAllowedHost(host) ? addresses : Array.FindAll(addresses, IsAllowed);
        return (allowed, allowed.Length > 0 ? null : addresses.Length == 0 ? $"{host} has no address" : Refusal(host, addresses[0]));
    }

    private bool IsAllowedHost(string host)
    {
        var name = host.TrimEnd('.').ToLowerInvariant();
        return _hosts.Exists(h => h.StartsWith("*.", StringComparison.Ordinal) ? name.EndsWith(h[1..], StringComparison.Ordinal) : name == h);
    }

    private static string Refusal(string host, IPAddress address) =>
        $"{host} is refused: {address} is no public address; an administrator can allow it with outgoing.allow";

    // Addresses that lead to an IPv4 address through a gateway.
    private static IPAddress? EmbeddedIn(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return null;
        var bytes = address.GetAddressBytes();
        if (s_sixToFour.Contains(address)) return new IPAddress(bytes.AsSpan(2, 4));
        return s_nat64.Contains(address) || s_compatible.Contains(address) ? new IPAddress(bytes.AsSpan(12, 4)) : null;
    }
}

/// <summary>The address is not one that users may make the server connect to.</summary>
public sealed class OutgoingRefusedException(string message) : IOException(message);
