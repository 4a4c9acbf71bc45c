using System.Globalization;

namespace Berth.Server.Identity.Ldap;

/// <summary>Where a directory server listens.</summary>
/// <param name="Host">Name or address.</param>
/// <param name="Port">Port.</param>
/// <param name="IsTls">TLS from the first byte (<c>ldaps</c>).</param>
internal readonly record struct LdapAddress(string Host, int Port, bool IsTls)
{
    private const int TlsPort = 636;
    private const int PlainPort = 389;

    /// <summary>Reads a list of addresses separated by blanks.</summary>
    /// <exception cref="FormatException">One is malformed, or there is none.</exception>
    public static IReadOnlyList<LdapAddress> ParseAll(string text)
    {
        var addresses = text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Parse).ToList();
        return addresses.Count > 0 ? addresses : throw new FormatException("no address of an LDAP server is given");
    }

    /// <summary>Reads one address. As in Harbor the scheme may be missing and port 636 means TLS.</summary>
    /// <exception cref="FormatException">It is malformed.</exception>
    public static LdapAddress Parse(string text)
    {
        var full = text.Contains("://", StringComparison.Ordinal) ? text : "ldap://" + text;
        if (!Uri.TryCreate(full, UriKind.Absolute, out var uri) || uri.Host.Length == 0 || uri.UserInfo.Length > 0)
            throw new FormatException($"\"{text}\" is no address of an LDAP server: it must look like ldaps://ldap.example.com");
        if (uri.Scheme is not ("ldap" or "ldaps"))
            throw new FormatException($"\"{text}\" must begin with ldap:// or ldaps://");
        var port = PortOf(full, uri);
        return new LdapAddress(uri.IdnHost.Trim('[', ']'), port ?? (uri.Scheme == "ldaps" ? TlsPort : PlainPort), uri.Scheme == "ldaps" || port == TlsPort);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(IsTls ? "ldaps" : "ldap")}://{Host}:{Port}");

    // The framework knows 389 as the default port of ldap, and none for ldaps.
    private static int? PortOf(string text, Uri uri)
    {
        if (uri.Port > 0 && !uri.IsDefaultPort) return uri.Port;
        return text.TrimEnd('/').EndsWith(":389", StringComparison.Ordinal) ? PlainPort : null;
    }
}
