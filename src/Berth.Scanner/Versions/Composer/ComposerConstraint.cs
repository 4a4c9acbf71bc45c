using System.Numerics;
using Berth.Scanner.Versions.Semantic;

namespace Berth.Scanner.Versions.Composer;

/// <summary>
/// Composer's constraints: comparators joined by comma or space, sets joined by <c>|</c> or <c>||</c>, wild cards, hyphen ranges, tilde and caret.
/// A lower bound takes the development versions of its release in, an upper bound leaves them out.
/// </summary>
internal static class ComposerConstraint
{
    public static bool? Contains(VersionOrder order, string version, string range)
    {
        if (!order.IsValid(version.AsSpan().Trim()))
            return null;
        var held = false;
        foreach (var set in range.Split('|', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (HoldsAll(order, version, set) is not { } holds)
                return null;
            held |= holds;
        }
        return held;
    }

    private static bool? HoldsAll(VersionOrder order, string version, string set)
    {
        var hyphen = set.IndexOf(" - ", StringComparison.Ordinal);
        if (hyphen > 0)
        {
            string from = set[..hyphen].Trim(), to = set[(hyphen + 3)..].Trim();
            if (!order.IsValid(from) || !order.IsValid(to))
                return null;
            var whole = Numbers(to).Length >= 3 || to.Contains('-');
            return order.Compare(version, Lowest(from)) >= 0
                && (whole ? order.Compare(version, to) <= 0 : order.Compare(version, Raised(to, Numbers(to).Length - 1)) < 0);
        }
        ReadOnlySpan<char> rest = set;
        var all = true;
        var any = false;
        while (GenericRange.Next(ref rest, out var operation, out var bound))
        {
            if (Holds(order, version, operation, bound.ToString()) is not { } holds)
                return null;
            all &= holds;
            any = true;
        }
        return any ? all : null;
    }

    private static bool? Holds(VersionOrder order, string version, ReadOnlySpan<char> operation, string bound)
    {
        if (bound is "*" or "x" or "X")
            return true;
        if (bound.EndsWith(".*", StringComparison.Ordinal) || bound.EndsWith(".x", StringComparison.OrdinalIgnoreCase))
        {
            var prefix = bound[..^2];
            while (prefix.EndsWith(".*", StringComparison.Ordinal))
                prefix = prefix[..^2];
            if (!order.IsValid(prefix))
                return null;
            return order.Compare(version, Lowest(prefix)) >= 0 && order.Compare(version, Raised(prefix, Numbers(prefix).Length - 1)) < 0;
        }
        var at = bound.IndexOf('@');
        var flag = at < 0 ? "" : bound[(at + 1)..];
        bound = at < 0 ? bound : bound[..at];
        if (!order.IsValid(bound))
            return null;
        if (IsBranch(version) || IsBranch(bound))
            return order.Compare(version, bound) == 0 ? operation is "" or "=" or "==" : operation is "!=" or "<>";
        if (flag.Length > 0 && !flag.Equals("stable", StringComparison.OrdinalIgnoreCase) && IsStable(bound)
            && operation is not ("" or "=" or "==" or "~" or "^"))
            bound = $"{Plain(bound)}-{flag}";
        return operation switch
        {
            "" or "=" or "==" => order.Compare(version, bound) == 0,
            "!=" or "<>" => order.Compare(version, bound) != 0,
            ">" => order.Compare(version, bound) > 0,
            "<=" or "=<" => order.Compare(version, bound) <= 0,
            ">=" or "=>" => order.Compare(version, Lowest(bound)) >= 0,
            "<" => order.Compare(version, Lowest(bound)) < 0,
            "~" or "~>" => order.Compare(version, Lowest(bound)) >= 0
                && order.Compare(version, Raised(bound, Math.Max(0, Math.Min(Numbers(bound).Length, 4) - 2))) < 0,
            "^" => order.Compare(version, Lowest(bound)) >= 0 && order.Compare(version, Raised(bound, CaretIndex(bound))) < 0,
            _ => null,
        };
    }

    /// <summary>The version, or its development version when it names no stability.</summary>
    private static string Lowest(string bound)
    {
        var version = ComposerVersion.Of(bound);
        return version.Stability == ComposerVersion.Stable && version.Branch.IsEmpty ? Plain(bound) + "-dev" : bound;
    }

    private static bool IsBranch(string version) => !ComposerVersion.Of(version).Branch.IsEmpty;

    private static bool IsStable(string version) => ComposerVersion.Of(version).Stability >= ComposerVersion.Stable;

    private static string Plain(string bound) => ComposerVersion.Of(bound).Numbers.ToString();

    private static string[] Numbers(string bound) => Plain(bound).Split('.', '-', ':');

    private static int CaretIndex(string bound)
    {
        var numbers = Numbers(bound);
        var index = Array.FindIndex(numbers, static n => n.AsSpan().Trim('0').Length > 0);
        return index >= 0 ? Math.Min(index, 2) : Math.Min(numbers.Length, 3) - 1;
    }

    private static string Raised(string bound, int index)
    {
        var kept = Numbers(bound)[..(index + 1)];
        kept[index] = (BigInteger.Parse(kept[index]) + 1).ToString();
        return string.Join('.', kept) + "-dev";
    }
}
