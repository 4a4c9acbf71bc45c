namespace Berth.Scanner.Versions;

/// <summary>
/// The order of the versions of one ecosystem, and the ranges that its advisories write. The order is total over every text: what is no
/// version of the scheme comes before all that are, by code point. Nothing here throws on any text.
/// </summary>
public abstract class VersionOrder
{
    /// <summary>Longest version that is judged, in characters; a longer one is no version.</summary>
    public const int MaxLength = 1024;

    /// <summary>Whether the text is a version of this scheme.</summary>
    public abstract bool IsValid(ReadOnlySpan<char> version);

    /// <summary>Below zero when <paramref name="left"/> comes first, zero when both are the same version, above zero otherwise.</summary>
    public int Compare(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        left = left.Trim();
        right = right.Trim();
        if (left.SequenceEqual(right))
            return 0;
        bool leftIs = left.Length <= MaxLength && IsValid(left), rightIs = right.Length <= MaxLength && IsValid(right);
        if (leftIs && rightIs)
            return CompareValid(left, right);
        if (leftIs != rightIs)
            return leftIs ? 1 : -1;
        return left.SequenceCompareTo(right);
    }

    /// <summary>Whether the range holds the version; null when either cannot be read. Schemes without a language for ranges always answer null.</summary>
    public virtual bool? Satisfies(string version, string range) => null;

    /// <summary>Compares two texts that <see cref="IsValid"/> accepted.</summary>
    protected abstract int CompareValid(ReadOnlySpan<char> left, ReadOnlySpan<char> right);
}
