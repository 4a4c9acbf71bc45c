namespace Berth.Scanner.Versions.Composer;

/// <summary>A Packagist version after Composer's normalisation: four numbers (or a date), a stability and its numbers.</summary>
internal ref struct ComposerVersion
{
    /// <summary>Written for the parts of a numbered branch that stand for every number.</summary>
    private const string AboveAll = "9999999";

    /// <summary>Numbers with dots or hyphens.</summary>
    public ReadOnlySpan<char> Numbers;

    /// <summary>0 dev, 1 alpha, 2 beta, 3 RC, 4 stable, 5 patch.</summary>
    public int Stability;

    /// <summary>Numbers behind the stability; empty when there is none.</summary>
    public ReadOnlySpan<char> StabilityNumbers;

    /// <summary>Whether <c>-dev</c> stands at the end, behind another stability.</summary>
    public bool IsDevOf;

    /// <summary>Name of a branch (<c>dev-main</c>); empty otherwise.</summary>
    public ReadOnlySpan<char> Branch;

    public const int Dev = 0;

    public const int Stable = 4;

    private static readonly (string Word, int Rank)[] Words =
        [("stable", 4), ("alpha", 1), ("beta", 2), ("patch", 5), ("rc", 3), ("pl", 5), ("a", 1), ("b", 2), ("p", 5)];

    /// <summary>The parts of a text that <see cref="TryParse"/> takes; empty parts for any other.</summary>
    public static ComposerVersion Of(ReadOnlySpan<char> text) => TryParse(text, out var version) ? version : default;

    public static bool TryParse(ReadOnlySpan<char> text, out ComposerVersion version)
    {
        version = new ComposerVersion { Stability = Stable };
        text = text.Trim();
        var at = text.IndexOf('@');
        if (at > 0)
            text = text[..at];
        if (text.StartsWith("dev-", StringComparison.OrdinalIgnoreCase) && text.Length > 4)
        {
            version.Stability = Dev;
            version.Branch = text[4..];
            return true;
        }
        var plus = text.IndexOf('+');
        if (plus > 0)
            text = text[..plus];
        if (text.Length > 0 && text[0] is 'v' or 'V')
            text = text[1..];
        var end = NumbersLength(text);
        if (end == 0)
            return false;
        version.Numbers = text[..end];
        return TakeStability(text[end..], ref version) || TakeNumberedBranch(text, ref version);
    }

    private static int NumbersLength(ReadOnlySpan<char> text)
    {
        var end = Digits.Run(text);
        if (end == 0)
            return 0;
        var isDate = end == 4 && text.Length > end && text[end] is '-' or ':' or '.' || end >= 6;
        for (var count = 1; count < (isDate ? 8 : 4); count++)
        {
            if (end + 1 >= text.Length || !char.IsAsciiDigit(text[end + 1]) || !(text[end] == '.' || (isDate && text[end] is '-' or ':')))
                break;
            end += 1 + Digits.Run(text[(end + 1)..]);
        }
        return end;
    }

    private static bool TakeStability(ReadOnlySpan<char> rest, ref ComposerVersion version)
    {
        if (rest.IsEmpty)
            return true;
        var word = rest[0] is '.' or '-' or '_' ? rest[1..] : rest;
        foreach (var (name, rank) in Words)
        {
            if (!word.StartsWith(name, StringComparison.OrdinalIgnoreCase))
                continue;
            // Composer stops reading at "stable".
            if (rank == Stable)
                return IsTail(word[name.Length..]);
            version.Stability = rank;
            word = word[name.Length..];
            var length = TailLength(word);
            version.StabilityNumbers = word[..length].TrimStart(".-");
            word = word[length..];
            break;
        }
        if (word.IsEmpty)
            return true;
        if (!IsDev(word))
            return false;
        if (version.Stability == Stable)
            version.Stability = Dev;
        else
            version.IsDevOf = true;
        return true;
    }

    /// <summary>Length of the numbers behind a stability.</summary>
    private static int TailLength(ReadOnlySpan<char> text)
    {
        var length = 0;
        while (length < text.Length)
        {
            var separator = text[length] is '.' or '-' ? 1 : 0;
            var run = Digits.Run(text[(length + separator)..]);
            if (run == 0)
                break;
            length += separator + run;
        }
        return length;
    }

    private static bool IsTail(ReadOnlySpan<char> text) => text[TailLength(text)..] is var rest && (rest.IsEmpty || IsDev(rest));

    private static bool IsDev(ReadOnlySpan<char> text) =>
        (text[0] is '.' or '-' ? text[1..] : text).Equals("dev", StringComparison.OrdinalIgnoreCase);

    /// <summary>A branch named by numbers, such as <c>1.x-dev</c>, is the development version above every release of it.</summary>
    private static bool TakeNumberedBranch(ReadOnlySpan<char> text, ref ComposerVersion version)
    {
        if (!text.EndsWith("dev", StringComparison.OrdinalIgnoreCase))
            return false;
        text = text[..^3];
        if (text.Length > 0 && text[^1] is '.' or '-')
            text = text[..^1];
        var numbers = new List<string>(4);
        foreach (var range in text.Split('.'))
        {
            var part = text[range];
            if (numbers.Count == 4 || !(Digits.AreAll(part) || (numbers.Count > 0 && part is "x" or "X" or "*")))
                return false;
            numbers.Add(Digits.AreAll(part) ? part.ToString() : AboveAll);
        }
        while (numbers.Count < 4)
            numbers.Add(AboveAll);
        version = new ComposerVersion { Numbers = string.Join('.', numbers), Stability = Dev };
        return true;
    }
}
