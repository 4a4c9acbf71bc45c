using System.Diagnostics.CodeAnalysis;

namespace Berth.Oci;

/// <summary>
/// The name of a repository, such as <c>library/debian</c> (OCI distribution spec, "Pulling manifests":
/// <c>[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*</c>, at most 255 characters).
/// </summary>
public readonly record struct RepositoryName
{
    /// <summary>Longest accepted name in characters.</summary>
    public const int MaxLength = 255;

    private readonly string? _value;

    private RepositoryName(string value) => _value = value;

    /// <summary>The whole name.</summary>
    public string Value => _value ?? throw new InvalidOperationException("the default repository name has no value");

    /// <summary>Reads a name; false when it breaks the grammar.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out RepositoryName name)
    {
        name = default;
        if (!IsValid(text)) return false;
        name = new RepositoryName(text.ToString());
        return true;
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, out RepositoryName)"/>
    public static bool TryParse([NotNullWhen(true)] string? text, out RepositoryName name)
    {
        name = default;
        if (text is null || !IsValid(text)) return false;
        name = new RepositoryName(text);
        return true;
    }

    /// <summary>Reads a name that is known to be one.</summary>
    /// <exception cref="FormatException">The text is not a repository name.</exception>
    public static RepositoryName Parse(string text) =>
        TryParse(text, out var name) ? name : throw new FormatException($"not a repository name: {text}");

    /// <summary>Whether a text follows the grammar.</summary>
    public static bool IsValid(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || text.Length > MaxLength) return false;
        var i = 0;
        while (true)
        {
            var start = i;
            while (i < text.Length && IsAlphanumeric(text[i])) i++;
            if (i == start) return false;
            if (i == text.Length) return true;
            i = SkipSeparator(text, i);
            if (i < 0) return false;
        }
    }

    public override string ToString() => _value ?? "";

    private static bool IsAlphanumeric(char c) => c is >= 'a' and <= 'z' or >= '0' and <= '9';

    // One slash, one dot, one or two underscores, or any number of hyphens.
    private static int SkipSeparator(ReadOnlySpan<char> text, int i)
    {
        switch (text[i])
        {
            case '/' or '.':
                return i + 1;
            case '_':
                return i + 1 < text.Length && text[i + 1] == '_' ? i + 2 : i + 1;
            case '-':
                while (i < text.Length && text[i] == '-') i++;
                return i;
            default:
                return -1;
        }
    }
}
