using Berth.Scanner.Versions.Semantic;

namespace Berth.Scanner.Versions.Pep440;

/// <summary>Python: PEP 440 with its specifiers; prereleases are candidates for every specifier, as a judge of installed versions needs it.</summary>
public sealed class Pep440VersionOrder : VersionOrder
{
    public override bool IsValid(ReadOnlySpan<char> version) => Pep440Version.TryParse(version, out _);

    /// <summary>Specifiers joined by commas (all must hold), sets joined by <c>||</c>.</summary>
    public override bool? Satisfies(string version, string range)
    {
        if (!Pep440Version.TryParse(version, out var parsed))
            return null;
        var held = false;
        foreach (var set in range.Split("||"))
        {
            var all = true;
            var any = false;
            ReadOnlySpan<char> rest = set;
            while (GenericRange.Next(ref rest, out var operation, out var bound))
            {
                if (Pep440Specifier.Holds(parsed, operation, bound) is not { } holds)
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
        Pep440Version a = Pep440Version.Of(left), b = Pep440Version.Of(right);
        var result = ComparePublic(a, b);
        return result != 0 ? result : CompareLocal(a.Local, b.Local);
    }

    /// <summary>The order without local parts.</summary>
    internal static int ComparePublic(Pep440Version left, Pep440Version right)
    {
        var result = Digits.Compare(left.Epoch, right.Epoch);
        if (result == 0)
            result = SemanticVersion.CompareNumbers(left.Release, right.Release);
        if (result == 0)
            result = PreRank(left) - PreRank(right);
        if (result == 0)
            result = Digits.Compare(left.PreNumber, right.PreNumber);
        if (result == 0)
            result = left.HasPost.CompareTo(right.HasPost);
        if (result == 0)
            result = Digits.Compare(left.PostNumber, right.PostNumber);
        if (result == 0)
            result = right.HasDev.CompareTo(left.HasDev);
        return result != 0 ? result : Digits.Compare(left.DevNumber, right.DevNumber);
    }

    /// <summary>A development release of the release itself comes before its alphas; the release after its candidates.</summary>
    private static int PreRank(Pep440Version version) =>
        version.PreKind != 0 ? version.PreKind : version is { HasDev: true, HasPost: false } ? 0 : 4;

    internal static int CompareLocal(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        while (!left.IsEmpty && !right.IsEmpty)
        {
            ReadOnlySpan<char> a = NextLocal(ref left), b = NextLocal(ref right);
            bool leftNumber = Digits.AreAll(a), rightNumber = Digits.AreAll(b);
            var result = leftNumber && rightNumber ? Digits.Compare(a, b)
                : leftNumber != rightNumber ? (leftNumber ? 1 : -1)
                : a.CompareTo(b, StringComparison.OrdinalIgnoreCase);
            if (result != 0)
                return result;
        }
        return left.Length.CompareTo(right.Length);
    }

    private static ReadOnlySpan<char> NextLocal(ref ReadOnlySpan<char> text)
    {
        var end = text.IndexOfAny('.', '-', '_');
        var part = end < 0 ? text : text[..end];
        text = end < 0 ? [] : text[(end + 1)..];
        return part;
    }
}
