using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Berth.Server.Identity.Ldap;

/// <summary>Reads filters in the text form of RFC 4515.</summary>
internal sealed class LdapFilterReader
{
    private const int MaxLength = 8 * 1024;
    private const int MaxDepth = 32;
    private static readonly SearchValues<char> AttributeCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.;");

    private readonly string _text;
    private int _at;

    private LdapFilterReader(string text) => _text = text;

    /// <summary>Reads a whole text; false when it is no filter.</summary>
    public static bool TryRead(string text, [NotNullWhen(true)] out LdapFilter? filter)
    {
        filter = null;
        var trimmed = text.Trim();
        if (trimmed.Length is 0 or > MaxLength) return false;
        if (trimmed[0] != '(') trimmed = $"({trimmed})";
        var reader = new LdapFilterReader(trimmed);
        filter = reader.ReadFilter(0);
        return filter is not null && reader._at == trimmed.Length;
    }

    private LdapFilter? ReadFilter(int depth)
    {
        if (depth > MaxDepth || !Take('(')) return null;
        var filter = Peek() switch
        {
            '&' => ReadSet(0, depth),
            '|' => ReadSet(1, depth),
            '!' => ReadNot(depth),
            _ => ReadItem(),
        };
        SkipBlanks();
        return filter is not null && Take(')') ? filter : null;
    }

    private SetFilter? ReadSet(int number, int depth)
    {
        _at++;
        var parts = new List<LdapFilter>();
        for (SkipBlanks(); Peek() == '('; SkipBlanks())
        {
            if (ReadFilter(depth + 1) is not { } part) return null;
            parts.Add(part);
        }
        return parts.Count > 0 ? new SetFilter(number, parts) : null;
    }

    private NotFilter? ReadNot(int depth)
    {
        _at++;
        SkipBlanks();
        return ReadFilter(depth + 1) is { } part ? new NotFilter(part) : null;
    }

    private LdapFilter? ReadItem()
    {
        var rest = _text.AsSpan(_at);
        var equals = rest.IndexOf('=');
        var end = rest.IndexOf(')');
        // A bracket in a value must be written \28 or \29, so the first closing one ends the item.
        if (equals < 0 || end < equals) return null;
        var left = rest[..equals].Trim().ToString();
        if (left.Length == 0) return null;
        var value = rest[(equals + 1)..end].ToString();
        _at += end;
        if (value.Contains('(', StringComparison.Ordinal)) return null;
        return left[^1] switch
        {
            ':' => Extensible(left[..^1], value),
            '>' => Compared(5, left[..^1], value),
            '<' => Compared(6, left[..^1], value),
            '~' => Compared(8, left[..^1], value),
            _ => EqualOrSubstring(left, value),
        };
    }

    private static ValueFilter? Compared(int number, string attribute, string value) =>
        IsAttribute(attribute) && TryUnescape(value, out var bytes) ? new ValueFilter(number, attribute, bytes) : null;

    private static LdapFilter? EqualOrSubstring(string attribute, string value)
    {
        if (!IsAttribute(attribute)) return null;
        if (value == "*") return new PresentFilter(attribute);
        if (!value.Contains('*', StringComparison.Ordinal)) return Compared(3, attribute, value);
        var pieces = new List<byte[]>();
        foreach (var piece in value.Split('*'))
        {
            if (!TryUnescape(piece, out var bytes)) return null;
            pieces.Add(bytes);
        }
        var any = pieces[1..^1].Where(p => p.Length > 0).ToList();
        var initial = pieces[0].Length > 0 ? pieces[0] : null;
        var final = pieces[^1].Length > 0 ? pieces[^1] : null;
        return initial is null && final is null && any.Count == 0 ? new PresentFilter(attribute) : new SubstringFilter(attribute, initial, any, final);
    }

    // attribute [":dn"] [":" rule], or [":dn"] ":" rule.
    private static ExtensibleFilter? Extensible(string left, string value)
    {
        var parts = left.Split(':');
        var attribute = parts[0].Length > 0 ? parts[0] : null;
        var withDn = parts.Length > 1 && string.Equals(parts[1], "dn", StringComparison.OrdinalIgnoreCase);
        var others = parts.Skip(withDn ? 2 : 1).ToArray();
        var rule = others.Length == 1 ? others[0] : null;
        if (others.Length > 1 || (attribute is null && rule is null)) return null;
        if ((attribute is not null && !IsAttribute(attribute)) || (rule is not null && !IsAttribute(rule))) return null;
        return TryUnescape(value, out var bytes) ? new ExtensibleFilter(rule, attribute, bytes, withDn) : null;
    }

    private static bool IsAttribute(string text) => text.Length > 0 && !text.AsSpan().ContainsAnyExcept(AttributeCharacters);

    private static bool TryUnescape(string value, out byte[] bytes)
    {
        bytes = [];
        var result = new ArrayBufferWriter<byte>(value.Length + 8);
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] == '\\')
            {
                if (i + 2 >= value.Length || !byte.TryParse(value.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var b)) return false;
                result.Write([b]);
                i += 2;
            }
            else
            {
                var length = char.IsHighSurrogate(value[i]) && i + 1 < value.Length ? 2 : 1;
                result.Write(Encoding.UTF8.GetBytes(value.Substring(i, length)));
                i += length - 1;
            }
        }
        bytes = result.WrittenSpan.ToArray();
        return true;
    }

    private char Peek() => _at < _text.Length ? _text[_at] : '\0';

    private bool Take(char c)
    {
        if (Peek() != c) return false;
        _at++;
        return true;
    }

    private void SkipBlanks()
    {
        while (char.IsWhiteSpace(Peek())) _at++;
    }
}
