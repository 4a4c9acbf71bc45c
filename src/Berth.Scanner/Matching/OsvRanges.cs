using Berth.Scanner.Advisories;
using Berth.Scanner.Inventory;
using Berth.Scanner.Versions;

namespace Berth.Scanner.Matching;

/// <summary>The evaluation of OSV's ranges (schema, section "Evaluation").</summary>
internal static class OsvRanges
{
    /// <summary>Whether the advisory is about the version; <paramref name="fixedVersions"/> gets the next fixed version of each range that holds it.</summary>
    public static bool Holds(Advisory advisory, PackageType type, string version, out IReadOnlyList<string> fixedVersions)
    {
        var fixes = new List<string>();
        var held = advisory.Versions.Contains(version, StringComparer.Ordinal);
        foreach (var range in advisory.Ranges)
        {
            var order = range.Kind == OsvRangeKind.Semantic ? VersionOrders.Semantic : VersionOrders.Of(type);
            if (type == PackageType.Go)
                order = VersionOrders.Go;
            if (!order.IsValid(version) || !InRange(order, range, version))
                continue;
            held = true;
            if (NextFix(order, range, version) is { } fix && !fixes.Contains(fix))
                fixes.Add(fix);
        }
        fixedVersions = fixes;
        return held;
    }

    private static bool InRange(VersionOrder order, OsvRange range, string version)
    {
        var events = range.Events.Where(static e => e.Kind != OsvEventKind.Limit)
            .Order(Comparer<OsvEvent>.Create((a, b) => Compare(order, a, b)));
        var inside = false;
        foreach (var happening in events)
        {
            var compared = happening.Version == "0" ? 1 : order.Compare(version, happening.Version);
            inside = happening.Kind switch
            {
                OsvEventKind.Introduced => inside || compared >= 0,
                OsvEventKind.Fixed => inside && compared < 0,
                _ => inside && compared <= 0,
            };
        }
        return inside && BelowLimits(order, range, version);
    }

    private static bool BelowLimits(VersionOrder order, OsvRange range, string version)
    {
        var any = false;
        foreach (var happening in range.Events)
        {
            if (happening.Kind != OsvEventKind.Limit)
                continue;
            if (happening.Version == "*" || order.Compare(version, happening.Version) < 0)
                return true;
            any = true;
        }
        return !any;
    }

    private static string? NextFix(VersionOrder order, OsvRange range, string version)
    {
        string? next = null;
        foreach (var happening in range.Events)
        {
            if (happening.Kind == OsvEventKind.Fixed && order.Compare(happening.Version, version) > 0
                && (next is null || order.Compare(happening.Version, next) < 0))
                next = happening.Version;
        }
        return next;
    }

    /// <summary>By version, zero before all; at the same version what begins comes before what ends.</summary>
    private static int Compare(VersionOrder order, OsvEvent left, OsvEvent right)
    {
        bool leftZero = left.Version == "0", rightZero = right.Version == "0";
        var result = leftZero || rightZero ? rightZero.CompareTo(leftZero) : order.Compare(left.Version, right.Version);
        return result != 0 ? result : left.Kind.CompareTo(right.Kind);
    }
}
