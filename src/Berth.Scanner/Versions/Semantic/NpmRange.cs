namespace Berth.Scanner.Versions.Semantic;

/// <summary>
/// Ranges as node-semver reads them: hyphen ranges, x-ranges, tilde, caret and primitive comparators; sets joined by <c>||</c>. Commas between
/// comparators are taken as spaces, as advisories write them. Each comparator becomes bounds that are plain comparisons.
/// </summary>
public static class NpmRange
{
    private enum Operation
    {
        Less,
        LessOrEqual,
        Greater,
        GreaterOrEqual,
        Equal,
    }

    private readonly record struct Bound(Operation Operation, ulong Major, ulong Minor, ulong Patch, string Prerelease);

    /// <summary>A version with parts left out or written as <c>x</c>: those are null.</summary>
    private readonly record struct Partial(ulong? Major, ulong? Minor, ulong? Patch, string Prerelease);

    private static readonly SemanticVersionOrder Order = new();

    /// <summary>
    /// Whether the range holds the version; null when either cannot be read. Without <paramref name="includePrerelease"/> a prerelease is held only
    /// by a set that names a prerelease of the same release.
    /// </summary>
    public static bool? Contains(string version, string range, bool includePrerelease)
    {
        if (!TryTriple(version, out var triple))
            return null;
        var held = false;
        var any = false;
        foreach (var part in range.Split("||"))
        {
            if (Parse(part, includePrerelease) is not { } bounds)
                return null;
            // Everything from 0.0.0 is no bound at all, so that another comparator of the set may still let a prerelease in.
            if (!includePrerelease)
                bounds.RemoveAll(static b => b is { Operation: Operation.GreaterOrEqual, Major: 0, Minor: 0, Patch: 0, Prerelease: "" });
            any |= bounds.Count == 0;
            held |= Holds(triple, bounds, includePrerelease);
        }
        // A set without bounds takes the place of all others.
        return any ? includePrerelease || triple.Prerelease.Length == 0 : held;
    }

    private static bool Holds(Bound version, List<Bound> bounds, bool includePrerelease)
    {
        foreach (var bound in bounds)
        {
            var compared = Compare(version, bound);
            var holds = bound.Operation switch
            {
                Operation.Less => compared < 0,
                Operation.LessOrEqual => compared <= 0,
                Operation.Greater => compared > 0,
                Operation.GreaterOrEqual => compared >= 0,
                _ => compared == 0,
            };
            if (!holds)
                return false;
        }
        return version.Prerelease.Length == 0 || includePrerelease || bounds.Exists(b =>
            b.Prerelease.Length > 0 && b.Major == version.Major && b.Minor == version.Minor && b.Patch == version.Patch);
    }

    private static int Compare(Bound left, Bound right)
    {
        var result = left.Major.CompareTo(right.Major);
        if (result == 0)
            result = left.Minor.CompareTo(right.Minor);
        if (result == 0)
            result = left.Patch.CompareTo(right.Patch);
        if (result != 0 || left.Prerelease == right.Prerelease)
            return result;
        if (left.Prerelease.Length == 0 || right.Prerelease.Length == 0)
            return left.Prerelease.Length == 0 ? 1 : -1;
        return Order.Compare("0-" + left.Prerelease, "0-" + right.Prerelease);
    }

    private static bool TryTriple(string text, out Bound triple)
    {
        triple = default;
        if (!TryPartial(text.Trim(), out var partial) || partial.Major is not { } major)
            return false;
        triple = new Bound(Operation.Equal, major, partial.Minor ?? 0, partial.Patch ?? 0, partial.Prerelease);
        return true;
    }

    private static List<Bound>? Parse(string set, bool includePrerelease)
    {
        var bounds = new List<Bound>();
        var hyphen = set.IndexOf(" - ", StringComparison.Ordinal);
        if (hyphen >= 0)
        {
            if (!TryPartial(set[..hyphen].Trim(), out var from) || !TryPartial(set[(hyphen + 3)..].Trim(), out var to))
                return null;
            Hyphen(from, to, includePrerelease, bounds);
            return bounds;
        }
        ReadOnlySpan<char> rest = set;
        while (GenericRange.Next(ref rest, out var operation, out var text))
        {
            if (!TryPartial(text, out var partial) || !Comparator(operation, partial, includePrerelease, bounds))
                return null;
        }
        return bounds;
    }

    private static void Hyphen(Partial from, Partial to, bool includePrerelease, List<Bound> bounds)
    {
        if (from.Major is { } major)
            bounds.Add(From(from, major, includePrerelease || from.Prerelease.Length > 0));
        if (to.Major is not { } last)
            return;
        if (to.Minor is not { } minor)
            bounds.Add(new(Operation.Less, last + 1, 0, 0, "0"));
        else if (to.Patch is not { } patch)
            bounds.Add(new(Operation.Less, last, minor + 1, 0, "0"));
        else if (to.Prerelease.Length == 0 && includePrerelease)
            bounds.Add(new(Operation.Less, last, minor, patch + 1, "0"));
        else
            bounds.Add(new(Operation.LessOrEqual, last, minor, patch, to.Prerelease));
    }

    private static Bound From(Partial partial, ulong major, bool prereleases) => new(
        Operation.GreaterOrEqual, major, partial.Minor ?? 0, partial.Patch ?? 0,
        partial.Prerelease.Length > 0 ? partial.Prerelease : prereleases ? "0" : "");

    private static bool Comparator(ReadOnlySpan<char> operation, Partial partial, bool includePrerelease, List<Bound> bounds)
    {
        switch (operation)
        {
            case "~" or "~>":
                Tilde(partial, includePrerelease, bounds);
                return true;
            case "^":
                Caret(partial, includePrerelease, bounds);
                return true;
            case "" or "=" or "==" or ">" or "<" or ">=" or "=>" or "<=" or "=<":
                Primitive(operation, partial, includePrerelease, bounds);
                return true;
            default:
                return false;
        }
    }

    private static void Tilde(Partial partial, bool includePrerelease, List<Bound> bounds)
    {
        if (partial.Major is not { } major)
            return;
        bounds.Add(From(partial, major, includePrerelease && partial.Patch is null));
        bounds.Add(partial.Minor is { } minor
            ? new(Operation.Less, major, minor + 1, 0, "0")
            : new(Operation.Less, major + 1, 0, 0, "0"));
    }

    private static void Caret(Partial partial, bool includePrerelease, List<Bound> bounds)
    {
        if (partial.Major is not { } major)
            return;
        bounds.Add(From(partial, major, includePrerelease && partial.Patch is null));
        if (major > 0 || partial.Minor is not { } minor)
            bounds.Add(new(Operation.Less, major + 1, 0, 0, "0"));
        else if (minor > 0 || partial.Patch is not { } patch)
            bounds.Add(new(Operation.Less, 0, minor + 1, 0, "0"));
        else
            bounds.Add(new(Operation.Less, 0, 0, patch + 1, "0"));
    }

    private static void Primitive(ReadOnlySpan<char> operation, Partial partial, bool includePrerelease, List<Bound> bounds)
    {
        var kind = operation switch
        {
            ">" => Operation.Greater,
            "<" => Operation.Less,
            ">=" or "=>" => Operation.GreaterOrEqual,
            "<=" or "=<" => Operation.LessOrEqual,
            _ => Operation.Equal,
        };
        if (partial.Major is not { } major)
        {
            if (kind is Operation.Greater or Operation.Less)
                bounds.Add(new(Operation.Less, 0, 0, 0, "0"));
            return;
        }
        if (partial.Minor is { } whole && partial.Patch is { } patch)
        {
            bounds.Add(new(kind, major, whole, patch, partial.Prerelease));
            return;
        }
        var lowest = includePrerelease ? "0" : "";
        var after = partial.Minor is { } minor ? (major, minor: minor + 1) : (major: major + 1, minor: 0UL);
        switch (kind)
        {
            case Operation.Greater:
                bounds.Add(new(Operation.GreaterOrEqual, after.major, after.minor, 0, lowest));
                break;
            case Operation.LessOrEqual:
                bounds.Add(new(Operation.Less, after.major, after.minor, 0, "0"));
                break;
            case Operation.Less:
                bounds.Add(new(Operation.Less, major, partial.Minor ?? 0, 0, "0"));
                break;
            case Operation.GreaterOrEqual:
                bounds.Add(new(Operation.GreaterOrEqual, major, partial.Minor ?? 0, 0, lowest));
                break;
            default:
                bounds.Add(new(Operation.GreaterOrEqual, major, partial.Minor ?? 0, 0, lowest));
                bounds.Add(new(Operation.Less, after.major, after.minor, 0, "0"));
                break;
        }
    }

    private static bool TryPartial(ReadOnlySpan<char> text, out Partial partial)
    {
        partial = default;
        text = text.TrimStart("vV= ");
        var plus = text.IndexOf('+');
        if (plus >= 0)
            text = text[..plus];
        Span<ulong?> parts = [null, null, null];
        var wild = text.IsEmpty;
        var index = 0;
        for (; index < 3 && !text.IsEmpty; index++)
        {
            var run = Digits.Run(text);
            if (run == 0 && text[0] is 'x' or 'X' or '*')
            {
                wild = true;
                run = 1;
            }
            else if (run is 0 or > 18)
            {
                return false;
            }
            else if (!wild)
            {
                parts[index] = ulong.Parse(text[..run]);
            }
            text = text[run..];
            if (text.IsEmpty || text[0] != '.' || index == 2)
            {
                index++;
                break;
            }
            text = text[1..];
        }
        var prerelease = "";
        if (!text.IsEmpty)
        {
            // Four numbers are no version of npm; a prerelease stands only behind a whole version.
            if (index != 3 || !SemanticVersion.TryParse($"0{text}", out var tail) || tail.Prerelease.IsEmpty)
                return false;
            prerelease = wild ? "" : tail.Prerelease.ToString();
        }
        partial = new Partial(parts[0], parts[1], parts[2], prerelease);
        return true;
    }
}
