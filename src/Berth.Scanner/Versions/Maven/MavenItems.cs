namespace Berth.Scanner.Versions.Maven;

/// <summary>A version as Maven takes it apart: numbers, qualifiers and nested lists.</summary>
internal sealed class MavenItems
{
    private const int ReleaseRank = 5;

    private readonly List<object> _items = [];

    private sealed record Number(string Digits);

    private sealed record Qualifier(int Rank, string Text);

    /// <summary>How deep the lists nest.</summary>
    public static int Depth(ReadOnlySpan<char> text)
    {
        var depth = 1;
        for (var i = 1; i < text.Length; i++)
        {
            if (text[i] == '-' || (char.IsAsciiDigit(text[i]) != char.IsAsciiDigit(text[i - 1]) && text[i] != '.' && text[i - 1] != '.'))
                depth++;
        }
        return depth;
    }

    public static MavenItems Parse(ReadOnlySpan<char> version)
    {
        var text = version.ToString().ToLowerInvariant();
        var all = new List<MavenItems> { new() };
        var start = 0;
        var digits = false;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c is '.' or '-')
            {
                all[^1]._items.Add(i == start ? new Number("0") : Item(digits, text[start..i], false));
                start = i + 1;
                if (c == '-')
                    Nest(all);
                continue;
            }
            var digit = char.IsAsciiDigit(c);
            if (digit != digits && i > start)
            {
                NestQualifier(all, digits);
                all[^1]._items.Add(Item(digits, text[start..i], followedByDigit: digit));
                start = i;
                Nest(all);
            }
            digits = digit;
        }
        if (text.Length > start)
        {
            NestQualifier(all, digits);
            all[^1]._items.Add(Item(digits, text[start..], false));
        }
        for (var i = all.Count - 1; i >= 0; i--)
            all[i].Normalize();
        return all[0];
    }

    public int CompareTo(MavenItems other)
    {
        for (var i = 0; i < Math.Max(_items.Count, other._items.Count); i++)
        {
            var left = i < _items.Count ? _items[i] : null;
            var right = i < other._items.Count ? other._items[i] : null;
            var result = left is null ? -Compare(right!, null) : Compare(left, right);
            if (result != 0)
                return result;
        }
        return 0;
    }

    private static void Nest(List<MavenItems> all)
    {
        var list = new MavenItems();
        all[^1]._items.Add(list);
        all.Add(list);
    }

    /// <summary>A qualifier behind a dot counts as one behind a hyphen (Maven 3.8.7), when digits or the end follow it.</summary>
    private static void NestQualifier(List<MavenItems> all, bool digits)
    {
        if (!digits && all[^1]._items.Count > 0)
            Nest(all);
    }

    private static object Item(bool digits, string text, bool followedByDigit)
    {
        if (digits)
            return new Number(text);
        if (followedByDigit)
        {
            text = text switch
            {
                "a" => "alpha",
                "b" => "beta",
                "m" => "milestone",
                _ => text,
            };
        }
        return text switch
        {
            "alpha" => new Qualifier(0, ""),
            "beta" => new Qualifier(1, ""),
            "milestone" => new Qualifier(2, ""),
            "rc" or "cr" => new Qualifier(3, ""),
            "snapshot" => new Qualifier(4, ""),
            "" or "ga" or "final" or "release" => new Qualifier(ReleaseRank, ""),
            "sp" => new Qualifier(6, ""),
            _ => new Qualifier(7, text),
        };
    }

    /// <summary>Drops what does not count at the end of the list, past nested lists that do count.</summary>
    private void Normalize()
    {
        for (var i = _items.Count - 1; i >= 0; i--)
        {
            if (IsNull(_items[i]))
                _items.RemoveAt(i);
            else if (_items[i] is not MavenItems)
                break;
        }
    }

    private static bool IsNull(object item) => item switch
    {
        Number number => number.Digits.AsSpan().Trim('0').IsEmpty,
        Qualifier qualifier => qualifier.Rank == ReleaseRank,
        _ => ((MavenItems)item)._items.Count == 0,
    };

    private static int Compare(object left, object? right) => left switch
    {
        Number number => right switch
        {
            null => IsNull(number) ? 0 : 1,
            Number other => Digits.Compare(number.Digits, other.Digits),
            _ => 1,
        },
        Qualifier qualifier => right switch
        {
            null => qualifier.Rank.CompareTo(ReleaseRank),
            Qualifier other => qualifier.Rank != other.Rank
                ? qualifier.Rank.CompareTo(other.Rank)
                : string.CompareOrdinal(qualifier.Text, other.Text),
            _ => -1,
        },
        _ => CompareList((MavenItems)left, right),
    };

    private static int CompareList(MavenItems left, object? right)
    {
        switch (right)
        {
            case Number:
                return -1;
            case Qualifier:
                return 1;
            case MavenItems list:
                return left.CompareTo(list);
            default:
                foreach (var item in left._items)
                {
                    var result = Compare(item, null);
                    if (result != 0)
                        return result;
                }
                return 0;
        }
    }
}
