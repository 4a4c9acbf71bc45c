using System.Buffers;
using Berth.Scanner.Versions.Semantic;

namespace Berth.Scanner.Versions.RubyGems;

/// <summary>RubyGems and CocoaPods: runs of digits and letters; letters make a prerelease, a hyphen reads as <c>.pre.</c>, trailing zeros do not count.</summary>
public sealed class GemVersionOrder : VersionOrder
{
    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create(".0123456789");

    public override bool IsValid(ReadOnlySpan<char> version)
    {
        if (version.IsEmpty || !char.IsAsciiDigit(version[0]))
            return false;
        var separated = false;
        foreach (var c in version)
        {
            if (c is '.' or '-')
            {
                if (separated && c == '.')
                    return false;
                separated = c == '.';
                continue;
            }
            if (!char.IsAsciiLetterOrDigit(c))
                return false;
            separated = false;
        }
        return !separated;
    }

    /// <summary>Requirements joined by commas (all must hold), sets joined by <c>||</c>: <c>= != &lt; &lt;= &gt; &gt;= ~&gt;</c>.</summary>
    public override bool? Satisfies(string version, string range)
    {
        version = version.Trim();
        if (!IsValid(version))
            return null;
        var held = false;
        foreach (var set in range.Split("||"))
        {
            var all = true;
            var any = false;
            ReadOnlySpan<char> rest = set;
            while (GenericRange.Next(ref rest, out var operation, out var bound))
            {
                if (bound.Length > MaxLength || !IsValid(bound) || Holds(version, operation, bound) is not { } holds)
                    return null;
                all &= holds;
                any = true;
            }
            if (!any)
                return null;
            held |= all;
        }
        return held;
    }

    protected override int CompareValid(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        GemSegments a = new(left), b = new(right);
        while (true)
        {
            bool leftHas = a.Next(out var x), rightHas = b.Next(out var y);
            if (!leftHas && !rightHas)
                return 0;
            // A missing segment is zero.
            bool leftText = leftHas && char.IsAsciiLetter(x[0]), rightText = rightHas && char.IsAsciiLetter(y[0]);
            if (leftText != rightText)
                return leftText ? -1 : 1;
            var result = leftText ? x.SequenceCompareTo(y) : Digits.Compare(x, y);
            if (result != 0)
                return result;
        }
    }

    private bool? Holds(string version, ReadOnlySpan<char> operation, ReadOnlySpan<char> bound)
    {
        var compared = Compare(version, bound);
        return operation switch
        {
            "" or "=" or "==" => compared == 0,
            "!=" => compared != 0,
            ">" => compared > 0,
            "<" => compared < 0,
            ">=" or "=>" => compared >= 0,
            "<=" or "=<" => compared <= 0,
            "~>" or "~" => compared >= 0 && SemanticVersion.CompareNumbers(Release(version), Bump(bound)) < 0,
            _ => null,
        };
    }

    /// <summary>The numbers in front of the first letter.</summary>
    private static string Release(ReadOnlySpan<char> version)
    {
        var segments = new GemSegments(version);
        var numbers = new List<string>();
        while (segments.Next(out var segment) && char.IsAsciiDigit(segment[0]))
            numbers.Add(segment.ToString());
        return numbers.Count == 0 ? "0" : string.Join('.', numbers);
    }

    /// <summary>The first release that <c>~&gt;</c> no longer holds: the last number dropped, the one before it raised.</summary>
    private static string Bump(ReadOnlySpan<char> bound)
    {
        var end = bound.IndexOfAnyExcept(NumberCharacters);
        var numbers = (end < 0 ? bound : bound[..end]).ToString().Split('.', StringSplitOptions.RemoveEmptyEntries);
        var kept = numbers.Length > 1 ? numbers[..^1] : numbers;
        kept[^1] = (System.Numerics.BigInteger.Parse(kept[^1]) + 1).ToString();
        return string.Join('.', kept);
    }
}
