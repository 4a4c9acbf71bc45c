namespace Berth.Scanner.Versions.Maven;

/// <summary>Maven's version ranges: intervals with square (closed) and round (open) ends, joined by commas; one must hold.</summary>
internal static class MavenRange
{
    public static bool? Contains(VersionOrder order, ReadOnlySpan<char> version, ReadOnlySpan<char> range)
    {
        var held = false;
        range = range.Trim();
        while (!range.IsEmpty)
        {
            var end = range.IndexOfAny(']', ')');
            if (range[0] is not ('[' or '(') || end < 0)
                return null;
            if (Interval(order, version, range[0] == '[', range[1..end], range[end] == ']') is not { } holds)
                return null;
            held |= holds;
            range = range[(end + 1)..].TrimStart(" ,");
        }
        return held;
    }

    private static bool? Interval(VersionOrder order, ReadOnlySpan<char> version, bool closedFrom, ReadOnlySpan<char> inside, bool closedTo)
    {
        var comma = inside.IndexOf(',');
        if (comma < 0)
            return inside.Trim().IsEmpty ? null : order.Compare(version, inside.Trim()) == 0;
        ReadOnlySpan<char> from = inside[..comma].Trim(), to = inside[(comma + 1)..].Trim();
        if (to.Contains(','))
            return null;
        var above = from.IsEmpty || order.Compare(version, from) is var low && (closedFrom ? low >= 0 : low > 0);
        var below = to.IsEmpty || order.Compare(version, to) is var high && (closedTo ? high <= 0 : high < 0);
        return above && below;
    }
}
