using System.Buffers;

namespace Berth.Scanner.Versions.Semantic;

/// <summary>Comparators joined by commas or spaces (all must hold), sets joined by <c>||</c> (one must hold).</summary>
internal static class GenericRange
{
    private static readonly SearchValues<char> OperatorCharacters = SearchValues.Create("=<>!~^");

    private static readonly SearchValues<char> Separators = SearchValues.Create(" ,\t\r\n");

    /// <summary>Null when the version or a comparator cannot be read.</summary>
    public static bool? Contains(VersionOrder order, ReadOnlySpan<char> version, ReadOnlySpan<char> range)
    {
        if (!order.IsValid(version.Trim()))
            return null;
        var any = false;
        foreach (var part in range.Split("||"))
        {
            if (HoldsAll(order, version, range[part]) is not { } holds)
                return null;
            any |= holds;
        }
        return any;
    }

    private static bool? HoldsAll(VersionOrder order, ReadOnlySpan<char> version, ReadOnlySpan<char> set)
    {
        var all = true;
        var count = 0;
        while (Next(ref set, out var operation, out var bound))
        {
            count++;
            if (bound is "*" && operation.IsEmpty)
                continue;
            if (!order.IsValid(bound) || Holds(order, version, operation, bound) is not { } holds)
                return null;
            all &= holds;
        }
        return count == 0 ? null : all;
    }

    /// <summary>Takes the next operator (may be empty) and version off the set.</summary>
    public static bool Next(ref ReadOnlySpan<char> set, out ReadOnlySpan<char> operation, out ReadOnlySpan<char> bound)
    {
        set = set.TrimStart(" ,\t\r\n");
        var length = set.IndexOfAnyExcept(OperatorCharacters);
        operation = set[..(length < 0 ? set.Length : length)];
        set = set[operation.Length..].TrimStart();
        var end = set.IndexOfAny(Separators);
        // An operator may follow a version without a space between them: ">=1.0<2.0".
        var glued = set.IndexOfAny(OperatorCharacters);
        // A tilde may belong to the version, and so may an exclamation mark that no equals sign follows: "1!2.0".
        var belongs = glued >= 0 && (set[glued] == '~' || (set[glued] == '!' && glued + 1 < set.Length && set[glued + 1] != '='));
        if (glued > 0 && (end < 0 || glued < end) && !belongs)
            end = glued;
        bound = end < 0 ? set : set[..end];
        set = set[bound.Length..];
        return !operation.IsEmpty || !bound.IsEmpty;
    }

    private static bool? Holds(VersionOrder order, ReadOnlySpan<char> version, ReadOnlySpan<char> operation, ReadOnlySpan<char> bound)
    {
        var compared = order.Compare(version, bound);
        if (operation is "~" or "~>" or "^" && !SemanticVersion.TryParse(bound, out _))
            return null;
        return operation switch
        {
            "" or "=" or "==" => compared == 0,
            "!=" => compared != 0,
            ">" => compared > 0,
            "<" => compared < 0,
            ">=" or "=>" => compared >= 0,
            "<=" or "=<" => compared <= 0,
            "~>" => compared >= 0 && order.Compare(version, Bump(bound, Kind.Pessimistic)) < 0,
            "~" => compared >= 0 && order.Compare(version, Bump(bound, Kind.Tilde)) < 0,
            "^" => compared >= 0 && order.Compare(version, Bump(bound, Kind.Caret)) < 0,
            _ => null,
        };
    }

    private enum Kind
    {
        Pessimistic,
        Tilde,
        Caret,
    }

    /// <summary>The first version that the operator no longer holds.</summary>
    private static string Bump(ReadOnlySpan<char> bound, Kind kind)
    {
        var numbers = SemanticVersion.Of(bound).Numbers.ToString().Split('.');
        var index = kind switch
        {
            Kind.Caret => Math.Max(0, Array.FindIndex(numbers, static n => n.AsSpan().Trim('0').Length > 0) is var i && i >= 0 ? i : numbers.Length - 1),
            Kind.Tilde when numbers.Length == 2 => 1,
            _ => Math.Max(0, numbers.Length - 2),
        };
        var kept = numbers[..(index + 1)];
        kept[index] = (System.Numerics.BigInteger.Parse(kept[index]) + 1).ToString();
        return string.Join('.', kept);
    }
}
