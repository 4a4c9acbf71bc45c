using Berth.Server.Platform.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Berth.Server.Identity.Proxy;

/// <summary>
/// Who a trusted proxy says is calling. The headers are taken out of every request before anything else reads them, so that whoever
/// comes from elsewhere gains nothing by sending them.
/// </summary>
public sealed class ProxyHeader
{
    private const int MaxGroups = 1000;
    private const int MaxEmailLength = 255;

    private readonly ProxyHeaderOptions _options;
    private readonly ForwardedHeaders _trusted;

    /// <summary>Reads the settings.</summary>
    /// <exception cref="FormatException">A network is malformed.</exception>
    public ProxyHeader(ProxyHeaderOptions options) => (_options, _trusted) = (options, new ForwardedHeaders(options.TrustedNetworks));

    /// <summary>What is wrong with the settings: key within <c>identity.proxyHeader</c> and what to do.</summary>
    public static IEnumerable<(string Key, string Message)> Check(ProxyHeaderOptions options)
    {
        if (!options.IsConfigured) yield break;
        if (options.TrustedNetworks.Count == 0) yield return ("trustedNetworks", "must name the proxies: without it anybody could be anybody");
        foreach (var network in options.TrustedNetworks)
        {
            if (network != ForwardedHeaders.UnixPeer && ForwardedHeaders.Parse(network) is not { } parsed)
                yield return ("trustedNetworks", $"\"{network}\" must be an address, a network such as 10.0.0.0/8, or {ForwardedHeaders.UnixPeer}");
            else if (network.EndsWith("/0", StringComparison.Ordinal))
                yield return ("trustedNetworks", $"\"{network}\" is everybody: name the proxies");
        }
        foreach (var (key, header) in new[] { ("userHeader", options.UserHeader), ("emailHeader", options.EmailHeader), ("groupsHeader", options.GroupsHeader) })
        {
            if (header.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))) yield return (key, $"\"{header}\" is no name of a header");
            if (header.Equals("Authorization", StringComparison.OrdinalIgnoreCase) || header.Equals("Cookie", StringComparison.OrdinalIgnoreCase))
                yield return (key, $"{header} has a meaning of its own");
        }
        if (options.GroupSeparator.Length == 0) yield return ("groupSeparator", "must not be empty");
        if (options.AdminGroup.Length > 0 && options.GroupsHeader.Length == 0) yield return ("adminGroup", "needs groupsHeader");
    }

    /// <summary>
    /// Takes the headers out of a request; the person when the peer is a trusted proxy and says one name that can be a user's. Two
    /// headers of the same name are an attempt to smuggle one past the proxy: nobody is signed in.
    /// </summary>
    public ProxyPerson? Take(HttpContext context)
    {
        if (!_options.IsConfigured) return null;
        var headers = context.Request.Headers;
        var (user, email, groups) = (TakeOne(headers, _options.UserHeader), TakeOne(headers, _options.EmailHeader), TakeOne(headers, _options.GroupsHeader));
        if (!_trusted.IsTrusted(ForwardedHeaders.PeerOf(context))) return null;
        if (user.Count != 1 || email.Count > 1 || groups.Count > 1) return null;
        var name = user[0]!.Trim();
        if (!Users.IsName(name)) return null;
        string[]? told = _options.GroupsHeader.Length == 0
            ? null
            : [.. groups.ToString().Split(_options.GroupSeparator, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal).Take(MaxGroups)];
        return new ProxyPerson(
            name,
            email.Count == 1 && email[0]!.Trim() is { Length: > 0 and <= MaxEmailLength } address ? address : null,
            told,
            _options.AdminGroup.Length == 0 ? null : told!.Contains(_options.AdminGroup, StringComparer.Ordinal));
    }

    // A proxy that turns dashes into underscores, or the other way round, must not open a second way in.
    private static StringValues TakeOne(IHeaderDictionary headers, string name)
    {
        if (name.Length == 0) return StringValues.Empty;
        headers.Remove(name, out var values);
        var other = name.Contains('_', StringComparison.Ordinal) ? name.Replace('_', '-') : name.Replace('-', '_');
        if (other != name && headers.Remove(other, out var twin)) values = StringValues.Concat(values, twin);
        return values;
    }
}

/// <summary>A person that a trusted proxy has vouched for.</summary>
/// <param name="Name">User name.</param>
/// <param name="Email">E-mail address, or null.</param>
/// <param name="Groups">Groups; null when no header tells them.</param>
/// <param name="IsAdmin">Member of the admin group; null when none is set.</param>
public sealed record ProxyPerson(string Name, string? Email, IReadOnlyList<string>? Groups, bool? IsAdmin);
