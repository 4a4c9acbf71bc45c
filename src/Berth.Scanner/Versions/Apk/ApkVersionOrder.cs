using System.Buffers;

namespace Berth.Scanner.Versions.Apk;

/// <summary>
/// Alpine, Wolfi, Chainguard: <c>number{.number}{letter}{_suffix{number}}{~hash}{-r#}</c>, apk-package(5). Numbers after the first that begin
/// with a zero compare as text. The hash does not count. What does not end as the form says comes before what does.
/// </summary>
public sealed class ApkVersionOrder : VersionOrder
{
    private static readonly string[] Suffixes = ["alpha", "beta", "pre", "rc", "", "cvs", "svn", "git", "hg", "p"];

    private const int NoSuffix = 4;

    private static readonly SearchValues<char> HashCharacters = SearchValues.Create("0123456789abcdef");

    public override bool IsValid(ReadOnlySpan<char> version) => !version.IsEmpty && char.IsAsciiDigit(version[0]);

    protected override int CompareValid(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        ReadOnlySpan<char> leftText = left, rightText = right;
        var result = CompareNumbers(ref left, ref right);
        if (result == 0)
            result = Letter(ref left) - Letter(ref right);
        if (result == 0)
            result = CompareSuffixes(ref left, ref right);
        if (result != 0)
            return result;
        SkipHash(ref left);
        SkipHash(ref right);
        ReadOnlySpan<char> leftBuild = Build(ref left, out var leftRank), rightBuild = Build(ref right, out var rightRank);
        result = Digits.Compare(leftBuild, rightBuild);
        if (result == 0)
            result = leftRank - rightRank;
        return result != 0 || leftRank > 0 ? result : leftText.SequenceCompareTo(rightText);
    }

    private static int CompareNumbers(ref ReadOnlySpan<char> left, ref ReadOnlySpan<char> right)
    {
        var result = 0;
        for (var first = true; ; first = false)
        {
            ReadOnlySpan<char> a = Number(ref left), b = Number(ref right);
            if (a.IsEmpty && b.IsEmpty)
                return result;
            if (result != 0)
                continue;
            if (a.IsEmpty || b.IsEmpty)
                result = a.IsEmpty ? -1 : 1;
            else
                result = !first && (a[0] == '0' || b[0] == '0') ? a.SequenceCompareTo(b) : Digits.Compare(a, b);
        }
    }

    /// <summary>Takes one number and the dot behind it.</summary>
    private static ReadOnlySpan<char> Number(ref ReadOnlySpan<char> text)
    {
        var number = text[..Digits.Run(text)];
        text = text[number.Length..];
        if (number.Length > 0 && text.Length > 0 && text[0] == '.')
            text = text[1..];
        return number;
    }

    private static int Letter(ref ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || !char.IsAsciiLetterLower(text[0]))
            return 0;
        var letter = text[0];
        text = text[1..];
        return letter;
    }

    private static int CompareSuffixes(ref ReadOnlySpan<char> left, ref ReadOnlySpan<char> right)
    {
        while (true)
        {
            var a = Suffix(ref left, out var leftNumber);
            var b = Suffix(ref right, out var rightNumber);
            if (a != b)
                return a - b;
            if (a == NoSuffix)
                return 0;
            var numbers = Digits.Compare(leftNumber, rightNumber);
            if (numbers != 0)
                return numbers;
        }
    }

    private static int Suffix(ref ReadOnlySpan<char> text, out ReadOnlySpan<char> number)
    {
        number = [];
        if (text.IsEmpty || text[0] != '_')
            return NoSuffix;
        for (var i = 0; i < Suffixes.Length; i++)
        {
            if (i == NoSuffix || !text[1..].StartsWith(Suffixes[i], StringComparison.Ordinal))
                continue;
            text = text[(1 + Suffixes[i].Length)..];
            number = text[..Digits.Run(text)];
            text = text[number.Length..];
            return i;
        }
        return NoSuffix;
    }

    private static void SkipHash(ref ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || text[0] != '~')
            return;
        var end = text[1..].IndexOfAnyExcept(HashCharacters);
        text = end < 0 ? [] : text[(1 + end)..];
    }

    /// <summary>The number after <c>-r</c>. Rank 2: the whole text has the form; 1: something follows the number; 0: something else stands there.</summary>
    private static ReadOnlySpan<char> Build(ref ReadOnlySpan<char> text, out int rank)
    {
        rank = text.IsEmpty ? 2 : 0;
        if (!text.StartsWith("-r", StringComparison.Ordinal))
            return [];
        text = text[2..];
        var number = text[..Digits.Run(text)];
        text = text[number.Length..];
        rank = text.IsEmpty ? 2 : 1;
        return number;
    }
}
