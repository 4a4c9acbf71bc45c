namespace Berth.Scanner.Versions.Composer;

/// <summary>Packagist: Composer's normalised versions in the order of PHP's version_compare, with its constraints.</summary>
public sealed class ComposerVersionOrder : VersionOrder
{
    public override bool IsValid(ReadOnlySpan<char> version) => ComposerVersion.TryParse(version, out _);

    public override bool? Satisfies(string version, string range) => ComposerConstraint.Contains(this, version, range);

    protected override int CompareValid(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        ComposerVersion a = ComposerVersion.Of(left), b = ComposerVersion.Of(right);
        if (a.Numbers.IsEmpty || b.Numbers.IsEmpty)
            return a.Numbers.IsEmpty && b.Numbers.IsEmpty ? a.Branch.SequenceCompareTo(b.Branch) : a.Numbers.IsEmpty ? -1 : 1;
        var result = CompareNumbers(a, b);
        if (result == 0)
            result = a.Stability - b.Stability;
        if (result == 0)
            result = CompareTail(a.StabilityNumbers, b.StabilityNumbers);
        return result != 0 ? result : b.IsDevOf.CompareTo(a.IsDevOf);
    }

    private static int CompareNumbers(ComposerVersion left, ComposerVersion right)
    {
        ReadOnlySpan<char> a = left.Numbers, b = right.Numbers;
        while (!a.IsEmpty || !b.IsEmpty)
        {
            var result = Digits.Compare(Next(ref a), Next(ref b));
            if (result != 0)
                return result;
        }
        return 0;
    }

    /// <summary>Numbers behind a stability: one more number comes later.</summary>
    private static int CompareTail(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        while (!left.IsEmpty && !right.IsEmpty)
        {
            var result = Digits.Compare(Next(ref left), Next(ref right));
            if (result != 0)
                return result;
        }
        return (!left.IsEmpty).CompareTo(!right.IsEmpty);
    }

    private static ReadOnlySpan<char> Next(ref ReadOnlySpan<char> list)
    {
        var end = list.IndexOfAny('.', '-', ':');
        var item = end < 0 ? list : list[..end];
        list = end < 0 ? [] : list[(end + 1)..];
        return item;
    }
}
