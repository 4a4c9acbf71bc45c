namespace Berth.Scanner.Versions.Semantic;

/// <summary>
/// Semantic Versioning 2.0 as package managers meet it: a leading <c>v</c> or <c>=</c>, fewer or more than three numbers (missing ones are zero)
/// and a prerelease without its hyphen (<c>1.0rc1</c>) are understood. Build metadata does not count.
/// </summary>
public class SemanticVersionOrder : VersionOrder
{
    public override bool IsValid(ReadOnlySpan<char> version) => SemanticVersion.TryParse(version, out _);

    /// <summary>Ranges of comparators with <c>, || = != &lt; &lt;= &gt; &gt;= ~ ~&gt; ^</c>, as advisories of ecosystems without a language of their own write them.</summary>
    public override bool? Satisfies(string version, string range) => GenericRange.Contains(this, version, range);

    protected override int CompareValid(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        return Compare(SemanticVersion.Of(left), SemanticVersion.Of(right));
    }

    private int Compare(SemanticVersion left, SemanticVersion right)
    {
        var numbers = SemanticVersion.CompareNumbers(left.Numbers, right.Numbers);
        if (numbers != 0)
            return numbers;
        if (left.Prerelease.IsEmpty || right.Prerelease.IsEmpty)
            return left.Prerelease.IsEmpty ? (right.Prerelease.IsEmpty ? 0 : 1) : -1;
        return ComparePrerelease(left.Prerelease, right.Prerelease);
    }

    /// <summary>SemVer 11.4: numeric identifiers by value and before others, others by code point.</summary>
    protected virtual int CompareLabels(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        bool leftNumber = Digits.AreAll(left), rightNumber = Digits.AreAll(right);
        if (leftNumber && rightNumber)
            return Digits.Compare(left, right);
        return leftNumber != rightNumber ? (leftNumber ? -1 : 1) : left.SequenceCompareTo(right);
    }

    /// <summary>SemVer 11.4.4: the shorter list comes first.</summary>
    private int ComparePrerelease(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        while (true)
        {
            ReadOnlySpan<char> a = SemanticVersion.Next(ref left), b = SemanticVersion.Next(ref right);
            var result = CompareLabels(a, b);
            if (result != 0)
                return result;
            if (left.IsEmpty || right.IsEmpty)
                return left.Length.CompareTo(right.Length);
        }
    }
}
