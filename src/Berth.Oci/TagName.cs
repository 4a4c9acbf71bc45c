using System.Diagnostics.CodeAnalysis;

namespace Berth.Oci;

/// <summary>The name of a tag: <c>[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}</c> (OCI distribution spec, "Pulling manifests").</summary>
public readonly record struct TagName
{
    /// <summary>Longest accepted tag in characters.</summary>
    public const int MaxLength = 128;

    private readonly string? _value;

    private TagName(string value) => _value = value;

    /// <summary>The tag's text.</summary>
    public string Value => _value ?? throw new InvalidOperationException("the default tag has no value");

    /// <summary>Reads a tag; false when it breaks the grammar.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TagName tag)
    {
        tag = IsValid(text) ? new TagName(text.ToString()) : default;
        return tag._value is not null;
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, out TagName)"/>
    public static bool TryParse([NotNullWhen(true)] string? text, out TagName tag)
    {
        tag = text is not null && IsValid(text) ? new TagName(text) : default;
        return tag._value is not null;
    }

    /// <summary>Whether a text follows the grammar.</summary>
    public static bool IsValid(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || text.Length > MaxLength || text[0] is '.' or '-') return false;
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '.' or '-')) return false;
        }
        return true;
    }

    public override string ToString() => _value ?? "";
}
