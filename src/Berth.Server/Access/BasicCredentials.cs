using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Berth.Server.Access;

/// <summary>Name and password of an <c>Authorization: Basic</c> header (RFC 7617).</summary>
internal readonly record struct BasicCredentials(string Name, string Password)
{
    /// <summary>Longest name that is looked at.</summary>
    public const int MaxNameLength = 255;

    private const int MaxPasswordLength = 8192;
    private const string Scheme = "Basic ";
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Whether a header's value is of the Basic scheme.</summary>
    public static bool IsBasic(string authorization) => authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads a header's value; false when it is malformed.</summary>
    public static bool TryParse(string authorization, out BasicCredentials credentials)
    {
        credentials = default;
        if (!IsBasic(authorization)) return false;
        if (!TryDecode(authorization.AsSpan(Scheme.Length).Trim(), out var text)) return false;
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon is <= 0 or > MaxNameLength || text.Length - colon - 1 > MaxPasswordLength) return false;
        // RFC 7617 section 2: no control characters. A NUL would also end the password early in C libraries.
        if (text.Any(char.IsControl)) return false;
        credentials = new BasicCredentials(text[..colon], text[(colon + 1)..]);
        return true;
    }

    /// <summary>The header's value of these credentials.</summary>
    public string ToHeader() => Scheme + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Name}:{Password}"));

    private static bool TryDecode(ReadOnlySpan<char> base64, [NotNullWhen(true)] out string? text)
    {
        text = null;
        var bytes = new byte[(base64.Length / 4 * 3) + 3];
        if (!Convert.TryFromBase64Chars(base64, bytes, out var length)) return false;
        try
        {
            text = Strict.GetString(bytes, 0, length);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }
}
