using System.Numerics;

namespace Berth.Server.Retention;

/// <summary>
/// The version that a tag names (semver.org, with an optional <c>v</c>): <c>v1.4.2</c>, <c>2.0.0-rc.1</c>. A shorter one, <c>v1</c> or <c>1.4</c>, names a line of
/// versions and moves from one to the next.
/// </summary>
internal sealed record TagVersion(BigInteger Major, BigInteger Minor, BigInteger Patch, string Prerelease) : IComparable<TagVersion>
{
    private const int MaxDigits = 40;

    // Names that are moved from image to image by their nature.
    private static readonly HashSet<string> s_channels = new(StringComparer.Ordinal)
    {
        "latest", "stable", "edge", "dev", "devel", "develop", "main", "master", "trunk", "nightly", "canary", "beta", "alpha", "next", "current", "lts", "mainline",
        "test", "staging", "production", "prod", "release",
    };

    /// <summary>The version of a tag that names exactly one; null for other tags.</summary>
    public static TagVersion? Of(string tag) => TryRead(tag, out var numbers, out var prerelease) && numbers.Count == 3
        ? new TagVersion(numbers[0], numbers[1], numbers[2], prerelease)
        : null;

    /// <summary>Whether a tag is meant to move: a line of versions such as <c>v1</c>, or a channel such as <c>latest</c>.</summary>
    public static bool IsFloating(string tag) => s_channels.Contains(tag) || (TryRead(tag, out var numbers, out _) && numbers.Count < 3);

    public int CompareTo(TagVersion? other)
    {
        if (other is null) return 1;
        var order = Major.CompareTo(other.Major);
        if (order == 0) order = Minor.CompareTo(other.Minor);
        if (order == 0) order = Patch.CompareTo(other.Patch);
        return order != 0 ? order : ComparePrereleases(Prerelease, other.Prerelease);
    }

    public static bool operator <(TagVersion left, TagVersion right) => left.CompareTo(right) < 0;

    public static bool operator >(TagVersion left, TagVersion right) => left.CompareTo(right) > 0;

    public static bool operator <=(TagVersion left, TagVersion right) => left.CompareTo(right) <= 0;

    public static bool operator >=(TagVersion left, TagVersion right) => left.CompareTo(right) >= 0;

    // One to three numbers; a lone number without a v, such as a build's or a date, is no version.
    private static bool TryRead(string tag, out List<BigInteger> numbers, out string prerelease)
    {
        numbers = [];
        var text = tag.AsSpan();
        var hasPrefix = text.Length > 1 && text[0] is 'v' or 'V';
        if (hasPrefix) text = text[1..];
        var dash = text.IndexOf('-');
        prerelease = dash < 0 ? "" : text[(dash + 1)..].ToString();
        if (dash == text.Length - 1) return false;
        foreach (var part in (dash < 0 ? text : text[..dash]).ToString().Split('.'))
        {
            if (part.Length is 0 or > MaxDigits || !part.All(char.IsAsciiDigit) || (part.Length > 1 && part[0] == '0')) return false;
            numbers.Add(BigInteger.Parse(part, System.Globalization.CultureInfo.InvariantCulture));
        }
        return numbers.Count <= 3 && (numbers.Count == 3 || prerelease.Length == 0) && (numbers.Count > 1 || hasPrefix);
    }

    // semver.org, 11: none is more than any; numbers by value and below words; the shorter list is less.
    private static int ComparePrereleases(string left, string right)
    {
        if (left == right) return 0;
        if (left.Length == 0) return 1;
        if (right.Length == 0) return -1;
        var (l, r) = (left.Split('.'), right.Split('.'));
        for (var i = 0; i < Math.Min(l.Length, r.Length); i++)
        {
            var (isNumberL, isNumberR) = (IsNumber(l[i], out var nl), IsNumber(r[i], out var nr));
            var order = isNumberL && isNumberR ? nl.CompareTo(nr) : isNumberL != isNumberR ? (isNumberL ? -1 : 1) : string.CompareOrdinal(l[i], r[i]);
            if (order != 0) return order;
        }
        return l.Length.CompareTo(r.Length);
    }

    private static bool IsNumber(string text, out BigInteger number)
    {
        number = default;
        return text.Length is > 0 and <= 128 && text.All(char.IsAsciiDigit) && BigInteger.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out number);
    }
}
