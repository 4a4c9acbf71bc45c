namespace Berth.Server.Registry;

/// <summary>A range of bytes; both ends included.</summary>
public readonly record struct ByteRange(long First, long Last)
{
    /// <summary>Number of bytes.</summary>
    public long Length => Last - First + 1;
}

/// <summary>Outcome of reading a Range header.</summary>
public enum RangeOutcome
{
    /// <summary>Send everything: there is no header, it is malformed, or it asks for too much.</summary>
    Whole,

    /// <summary>Send the ranges.</summary>
    Partial,

    /// <summary>416: no range lies within the content.</summary>
    Unsatisfiable,
}

/// <summary>Reads Range (RFC 9110 section 14.2) and the upload's Content-Range.</summary>
public static class ByteRanges
{
    /// <summary>More ranges than this in one request are answered with everything (RFC 9110 section 14.2 allows to ignore them).</summary>
    public const int MaxRanges = 32;

    /// <summary>Reads a Range header against content of a size.</summary>
    public static RangeOutcome Parse(string? header, long size, out IReadOnlyList<ByteRange> ranges)
    {
        ranges = [];
        if (string.IsNullOrEmpty(header) || !header.StartsWith("bytes=", StringComparison.OrdinalIgnoreCase)) return RangeOutcome.Whole;
        var found = new List<ByteRange>();
        var count = 0;
        long total = 0;
        foreach (var part in header.AsSpan(6).Split(','))
        {
            var text = header.AsSpan(6)[part].Trim();
            if (text.IsEmpty) continue;
            if (++count > MaxRanges || !TryParseOne(text, size, out var range)) return RangeOutcome.Whole;
            if (range is null) continue;
            found.Add(range.Value);
            total += range.Value.Length;
        }
        if (count == 0) return RangeOutcome.Whole;
        if (found.Count == 0) return RangeOutcome.Unsatisfiable;
        // Overlapping ranges that add up to more than the content are an attack or a mistake.
        if (found.Count > 1 && total > size) return RangeOutcome.Whole;
        ranges = found;
        return RangeOutcome.Partial;
    }

    /// <summary>
    /// Reads the Content-Range of an upload chunk: <c>first-last</c> (OCI distribution spec, "Pushing a blob in chunks"),
    /// or the <c>bytes first-last/total</c> of RFC 9110 that some clients send.
    /// </summary>
    public static bool TryParseContentRange(string header, out ByteRange range)
    {
        range = default;
        var text = header.AsSpan().Trim();
        if (text.StartsWith("bytes ", StringComparison.OrdinalIgnoreCase))
        {
            text = text[6..].Trim();
            var slash = text.IndexOf('/');
            if (slash < 0) return false;
            text = text[..slash];
        }
        var dash = text.IndexOf('-');
        if (dash <= 0 || !TryNumber(text[..dash], out var first) || !TryNumber(text[(dash + 1)..], out var last) || last < first) return false;
        range = new ByteRange(first, last);
        return true;
    }

    // False when malformed; a null range when it lies outside the content.
    private static bool TryParseOne(ReadOnlySpan<char> text, long size, out ByteRange? range)
    {
        range = null;
        var dash = text.IndexOf('-');
        if (dash < 0) return false;
        var left = text[..dash].Trim();
        var right = text[(dash + 1)..].Trim();
        if (left.IsEmpty)
        {
            if (!TryNumber(right, out var suffix)) return false;
            if (suffix > 0 && size > 0) range = new ByteRange(Math.Max(0, size - suffix), size - 1);
            return true;
        }
        if (!TryNumber(left, out var first)) return false;
        var last = long.MaxValue;
        if (!right.IsEmpty && (!TryNumber(right, out last) || last < first)) return false;
        if (first < size) range = new ByteRange(first, Math.Min(last, size - 1));
        return true;
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out long value)
    {
        value = 0;
        return text.Length is > 0 and <= 18 && !text.ContainsAnyExceptInRange('0', '9') && long.TryParse(text, out value);
    }
}
