namespace Berth.Scanner.Versions.Rpm;

/// <summary>
/// rpm: <c>[epoch:]version[-release]</c>, rpm-version(7). Runs of digits and of letters alternate, everything else only parts them; a tilde
/// comes before the end, a caret right after it. A missing epoch is 0; a missing release comes before any.
/// </summary>
public sealed class RpmVersionOrder : VersionOrder
{
    public override bool IsValid(ReadOnlySpan<char> version) => !version.IsEmpty && !version.ContainsAny(" \t\r\n");

    /// <summary>The version without an epoch of zero, as reports write it.</summary>
    public static string WithoutZeroEpoch(string version) => version.StartsWith("0:", StringComparison.Ordinal) ? version[2..] : version;

    protected override int CompareValid(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        var epochs = Digits.Compare(Epoch(ref left), Epoch(ref right));
        if (epochs != 0)
            return epochs;
        ReadOnlySpan<char> leftRelease = Release(ref left), rightRelease = Release(ref right);
        var versions = ComparePart(left, right);
        return versions != 0 ? versions : ComparePart(leftRelease, rightRelease);
    }

    private static ReadOnlySpan<char> Epoch(ref ReadOnlySpan<char> version)
    {
        var colon = version.IndexOf(':');
        if (colon < 0 || (colon > 0 && !Digits.AreAll(version[..colon])))
            return [];
        var epoch = version[..colon];
        version = version[(colon + 1)..];
        return epoch;
    }

    private static ReadOnlySpan<char> Release(ref ReadOnlySpan<char> version)
    {
        var dash = version.LastIndexOf('-');
        if (dash < 0)
            return [];
        var release = version[(dash + 1)..];
        version = version[..dash];
        return release;
    }

    private static int ComparePart(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        while (true)
        {
            left = left[Separators(left)..];
            right = right[Separators(right)..];
            bool leftTilde = Starts(left, '~'), rightTilde = Starts(right, '~');
            if (leftTilde || rightTilde)
            {
                if (leftTilde != rightTilde)
                    return leftTilde ? -1 : 1;
                left = left[1..];
                right = right[1..];
                continue;
            }
            bool leftCaret = Starts(left, '^'), rightCaret = Starts(right, '^');
            if (leftCaret || rightCaret)
            {
                if (leftCaret && rightCaret)
                {
                    left = left[1..];
                    right = right[1..];
                    continue;
                }
                // The base version comes before the one with a caret; a longer base comes after it.
                return leftCaret ? (right.IsEmpty ? 1 : -1) : left.IsEmpty ? -1 : 1;
            }
            if (left.IsEmpty || right.IsEmpty)
                return left.Length.CompareTo(right.Length);
            var result = CompareSegment(ref left, ref right);
            if (result != 0)
                return result;
        }
    }

    private static int CompareSegment(ref ReadOnlySpan<char> left, ref ReadOnlySpan<char> right)
    {
        bool leftDigit = char.IsAsciiDigit(left[0]), rightDigit = char.IsAsciiDigit(right[0]);
        if (leftDigit != rightDigit)
            return leftDigit ? 1 : -1;
        int leftRun = leftDigit ? Digits.Run(left) : Letters(left), rightRun = leftDigit ? Digits.Run(right) : Letters(right);
        var result = leftDigit
            ? Digits.Compare(left[..leftRun], right[..rightRun])
            : left[..leftRun].SequenceCompareTo(right[..rightRun]);
        left = left[leftRun..];
        right = right[rightRun..];
        return result;
    }

    private static bool Starts(ReadOnlySpan<char> text, char c) => text.Length > 0 && text[0] == c;

    private static int Separators(ReadOnlySpan<char> text)
    {
        var i = 0;
        while (i < text.Length && !char.IsAsciiLetterOrDigit(text[i]) && text[i] is not ('~' or '^'))
            i++;
        return i;
    }

    private static int Letters(ReadOnlySpan<char> text)
    {
        var i = 0;
        while (i < text.Length && char.IsAsciiLetter(text[i]))
            i++;
        return i;
    }
}
