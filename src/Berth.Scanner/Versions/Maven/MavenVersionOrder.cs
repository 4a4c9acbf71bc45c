using System.Buffers;
using Berth.Scanner.Versions.Semantic;

namespace Berth.Scanner.Versions.Maven;

/// <summary>
/// Maven's ComparableVersion (POM reference, version order specification) with its ranges and with comparators. Maven's order is not transitive where a
/// qualifier stands between dots (<c>1.foo.2</c>); it is kept as it is, because advisories mean what Maven does.
/// </summary>
public sealed class MavenVersionOrder : VersionOrder
{
    /// <summary>Texts deeper than this compare by code point; each hyphen and each change between letters and digits is a level.</summary>
    internal const int MaxDepth = 128;

    private static readonly SearchValues<char> Foreign = SearchValues.Create(" \t\r\n,[]()");

    public override bool IsValid(ReadOnlySpan<char> version) =>
        !version.IsEmpty && !version.ContainsAny(Foreign) && MavenItems.Depth(version) <= MaxDepth;

    /// <summary>Either Maven's ranges (<c>[1.0,2.0),[3.0]</c>) or comparators (<c>&gt;= 1.0, &lt; 2.0</c>), sets joined by <c>||</c>.</summary>
    public override bool? Satisfies(string version, string range)
    {
        if (!IsValid(version.AsSpan().Trim()))
            return null;
        if (!range.AsSpan().ContainsAny("[]()"))
            return GenericRange.Contains(this, version, range);
        var held = false;
        foreach (var part in range.Split("||"))
        {
            if (MavenRange.Contains(this, version, part) is not { } holds)
                return null;
            held |= holds;
        }
        return held;
    }

    protected override int CompareValid(ReadOnlySpan<char> left, ReadOnlySpan<char> right) =>
        MavenItems.Parse(left).CompareTo(MavenItems.Parse(right));
}
