using System.Text;

namespace Berth.Server.Identity.Ldap;

/// <summary>
/// Distinguished names (RFC 4514), compared without regard to case and to blanks around separators. Good enough to tell whether a name
/// lies below another; the server alone knows the matching rules of each attribute.
/// </summary>
internal static class LdapDn
{
    private const int MaxLength = 4096;

    /// <summary>The name in one spelling; null when it is malformed.</summary>
    public static string? Normalize(string text) => PartsOf(text) is { } parts ? string.Join(',', parts) : null;

    /// <summary>Whether two names are the same.</summary>
    public static bool Same(string a, string b) => Normalize(a) is { Length: > 0 } name && name == Normalize(b);

    /// <summary>Whether a name is the base or lies below it.</summary>
    public static bool IsBelow(string text, string baseDn)
    {
        if (PartsOf(text) is not { } parts || PartsOf(baseDn) is not { } ends || ends.Count > parts.Count) return false;
        return parts.Skip(parts.Count - ends.Count).SequenceEqual(ends, StringComparer.Ordinal);
    }

    private static List<string>? PartsOf(string text)
    {
        var parts = new List<string>();
        if (text.Length > MaxLength) return null;
        if (string.IsNullOrWhiteSpace(text)) return parts;
        var part = new StringBuilder();
        var equals = -1;
        for (var i = 0; i <= text.Length; i++)
        {
            if (i == text.Length || text[i] is ',' or ';')
            {
                if (equals <= 0) return null;
                parts.Add(Join(part.ToString(), equals));
                part.Clear();
                equals = -1;
            }
            else if (text[i] == '\\')
            {
                if (i + 1 == text.Length) return null;
                part.Append(text, i++, 2);
            }
            else
            {
                if (text[i] == '=' && equals < 0) equals = part.Length;
                part.Append(text[i]);
            }
        }
        return parts;
    }

    private static string Join(string part, int equals) =>
        $"{part[..equals].Trim()}={part[(equals + 1)..].Trim()}".ToLowerInvariant();
}
