namespace Berth.Scanner.Versions;

/// <summary>Numbers of any length as text: versions carry dates, hashes and more digits than fit in an integer.</summary>
internal static class Digits
{
    /// <summary>Compares two runs of decimal digits by value; an empty run is zero.</summary>
    public static int Compare(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        left = left.TrimStart('0');
        right = right.TrimStart('0');
        return left.Length != right.Length ? left.Length.CompareTo(right.Length) : left.SequenceCompareTo(right);
    }

    /// <summary>Number of leading decimal digits.</summary>
    public static int Run(ReadOnlySpan<char> text)
    {
        var length = text.IndexOfAnyExceptInRange('0', '9');
        return length < 0 ? text.Length : length;
    }

    /// <summary>Whether the text is one or more digits.</summary>
    public static bool AreAll(ReadOnlySpan<char> text) => text.Length > 0 && Run(text) == text.Length;
}
