namespace Berth.Scanner.Versions.Dpkg;

/// <summary>Debian and Ubuntu: <c>[epoch:]upstream[-revision]</c>, deb-version(7). A tilde comes before everything, even the end.</summary>
public sealed class DpkgVersionOrder : VersionOrder
{
    public override bool IsValid(ReadOnlySpan<char> version)
    {
        if (version.IsEmpty || version.ContainsAny(" \t\r\n"))
            return false;
        var colon = version.IndexOf(':');
        return colon < 0 || (Digits.AreAll(version[..colon]) && colon + 1 < version.Length);
    }

    protected override int CompareValid(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        var epochs = Digits.Compare(Epoch(ref left), Epoch(ref right));
        if (epochs != 0)
            return epochs;
        ReadOnlySpan<char> leftRevision = Revision(ref left), rightRevision = Revision(ref right);
        var upstream = ComparePart(left, right);
        return upstream != 0 ? upstream : ComparePart(leftRevision, rightRevision);
    }

    private static ReadOnlySpan<char> Epoch(ref ReadOnlySpan<char> version)
    {
        var colon = version.IndexOf(':');
        if (colon < 0)
            return [];
        var epoch = version[..colon];
        version = version[(colon + 1)..];
        return epoch;
    }

    private static ReadOnlySpan<char> Revision(ref ReadOnlySpan<char> version)
    {
        var dash = version.LastIndexOf('-');
        if (dash < 0)
            return [];
        var revision = version[(dash + 1)..];
        version = version[..dash];
        return revision;
    }

    /// <summary>Alternates runs of non-digits (by <see cref="Weight"/>) with runs of digits (by value).</summary>
    private static int ComparePart(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        while (left.Length > 0 || right.Length > 0)
        {
            while ((left.Length > 0 && !char.IsAsciiDigit(left[0])) || (right.Length > 0 && !char.IsAsciiDigit(right[0])))
            {
                int a = left.Length > 0 ? Weight(left[0]) : 0, b = right.Length > 0 ? Weight(right[0]) : 0;
                if (a != b)
                    return a - b;
                left = left[1..];
                right = right[1..];
            }
            int leftRun = Digits.Run(left), rightRun = Digits.Run(right);
            var numbers = Digits.Compare(left[..leftRun], right[..rightRun]);
            if (numbers != 0)
                return numbers;
            left = left[leftRun..];
            right = right[rightRun..];
        }
        return 0;
    }

    private static int Weight(char c) =>
        c == '~' ? -1 : char.IsAsciiDigit(c) ? 0 : char.IsAsciiLetter(c) ? c : c + 256;
}
