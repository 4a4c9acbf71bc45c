using System.Net;

namespace Berth.Client.Http;

/// <summary>
/// Proxies as variables name them, in the way that Go's programs read them: <c>HTTPS_PROXY</c>, <c>HTTP_PROXY</c> (else in small letters), <c>NO_PROXY</c> with hosts,
/// <c>.domains</c>, addresses, networks, each with or without a port, or <c>*</c>. This machine is never asked through a proxy.
/// </summary>
internal sealed class EnvironmentProxy : IWebProxy
{
    private readonly Uri? https;
    private readonly Uri? http;
    private readonly string[] exceptions;

    /// <param name="variables">Variables of the process.</param>
    /// <exception cref="IOException">A proxy's address cannot be read.</exception>
    public EnvironmentProxy(IReadOnlyDictionary<string, string> variables)
    {
        (https, http) = (Address(variables, "HTTPS_PROXY", "https_proxy"), Address(variables, "HTTP_PROXY", "http_proxy"));
        exceptions = (Value(variables, "NO_PROXY", "no_proxy") ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if ((https ?? http)?.UserInfo is { Length: > 0 } user)
        {
            var parts = user.Split(':', 2);
            Credentials = new NetworkCredential(Uri.UnescapeDataString(parts[0]), parts.Length == 2 ? Uri.UnescapeDataString(parts[1]) : "");
        }
    }

    /// <summary>Whether any proxy is named.</summary>
    public bool IsSet => https is not null || http is not null;

    /// <inheritdoc/>
    public ICredentials? Credentials { get; set; }

    /// <inheritdoc/>
    public Uri? GetProxy(Uri destination) => IsBypassed(destination) ? null : ProxyOf(destination);

    /// <inheritdoc/>
    public bool IsBypassed(Uri host)
    {
        if (ProxyOf(host) is null || host.IsLoopback) return true;
        var name = host.IdnHost.Trim('[', ']').TrimEnd('.').ToLowerInvariant();
        var address = IPAddress.TryParse(name, out var parsed) ? parsed : null;
        return Array.Exists(exceptions, entry => Excepts(entry.ToLowerInvariant(), name, address, host.Port));
    }

    private Uri? ProxyOf(Uri destination) => destination.Scheme == Uri.UriSchemeHttps ? https : http;

    private static bool Excepts(string entry, string name, IPAddress? address, int port)
    {
        if (entry == "*") return true;
        if (IPNetwork.TryParse(entry, out var network)) return address is not null && network.Contains(address);
        if (!IPAddress.TryParse(entry, out var literal) && entry.LastIndexOf(':') is > 0 and var colon && int.TryParse(entry.AsSpan(colon + 1), out var wanted))
        {
            if (wanted != port) return false;
            entry = entry[..colon].Trim('[', ']');
            literal = IPAddress.TryParse(entry, out var inner) ? inner : null;
        }
        if (literal is not null) return literal.Equals(address);
        if (entry.StartsWith("*.", StringComparison.Ordinal)) entry = entry[1..];
        // A domain covers what is below it; one that does not begin with a dot also itself.
        return entry.StartsWith('.') ? name.EndsWith(entry, StringComparison.Ordinal) : entry.Length > 0 && (name == entry || name.EndsWith("." + entry, StringComparison.Ordinal));
    }

    private static Uri? Address(IReadOnlyDictionary<string, string> variables, string name, string small)
    {
        if (Value(variables, name, small) is not { } text) return null;
        var whole = text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text;
        return Uri.TryCreate(whole, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" or "socks5" ? address : throw new IOException($"{name} names no proxy that can be used");
    }

    private static string? Value(IReadOnlyDictionary<string, string> variables, string name, string small) =>
        variables.GetValueOrDefault(name) is { Length: > 0 } value ? value : variables.GetValueOrDefault(small) is { Length: > 0 } other ? other : null;
}
