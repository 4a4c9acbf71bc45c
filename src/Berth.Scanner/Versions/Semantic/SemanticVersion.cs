namespace Berth.Scanner.Versions.Semantic;

/// <summary>The parts of a semantic version, as slices of its text.</summary>
internal readonly ref struct SemanticVersion
{
    private SemanticVersion(ReadOnlySpan<char> numbers, ReadOnlySpan<char> prerelease)
    {
        Numbers = numbers;
        Prerelease = prerelease;
    }

    /// <summary>Numbers with dots, at least one.</summary>
    public ReadOnlySpan<char> Numbers { get; }

    /// <summary>Identifiers with dots, empty for a release.</summary>
    public ReadOnlySpan<char> Prerelease { get; }

    /// <summary>The parts of a text that <see cref="TryParse"/> takes; empty parts for any other.</summary>
    public static SemanticVersion Of(ReadOnlySpan<char> text) => TryParse(text, out var version) ? version : default;

    public static bool TryParse(ReadOnlySpan<char> text, out SemanticVersion version)
    {
        version = default;
        if (text.Length > 0 && text[0] is 'v' or 'V' or '=')
            text = text[1..].TrimStart();
        var plus = text.IndexOf('+');
        if (plus >= 0)
        {
            if (!AreIdentifiers(text[(plus + 1)..]))
                return false;
            text = text[..plus];
        }
        var end = 0;
        while (true)
        {
            var run = Digits.Run(text[end..]);
            if (run == 0)
                return false;
            end += run;
            if (end + 1 >= text.Length || text[end] != '.' || !char.IsAsciiDigit(text[end + 1]))
                break;
            end++;
        }
        var rest = text[end..];
        if (rest.Length > 0)
        {
            if (rest[0] == '-')
                rest = rest[1..];
            else if (!char.IsAsciiLetter(rest[0]) && rest[0] != '~')
                return false;
            if (!AreIdentifiers(rest))
                return false;
        }
        version = new SemanticVersion(text[..end], rest);
        return true;
    }

    /// <summary>Compares lists of numbers; a missing number is zero.</summary>
    public static int CompareNumbers(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        while (!left.IsEmpty || !right.IsEmpty)
        {
            var result = Digits.Compare(Next(ref left), Next(ref right));
            if (result != 0)
                return result;
        }
        return 0;
    }

    /// <summary>Takes what stands before the next dot.</summary>
    public static ReadOnlySpan<char> Next(ref ReadOnlySpan<char> list)
    {
        var dot = list.IndexOf('.');
        var item = dot < 0 ? list : list[..dot];
        list = dot < 0 ? [] : list[(dot + 1)..];
        return item;
    }

    private static bool AreIdentifiers(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || text[0] == '.' || text[^1] == '.')
            return false;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '.' ? text[i - 1] == '.' : !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '~' or '_'))
                return false;
        }
        return true;
    }
}
