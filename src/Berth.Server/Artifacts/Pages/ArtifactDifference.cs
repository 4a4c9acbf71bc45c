namespace Berth.Server.Artifacts.Pages;

/// <summary>A value of two artifacts; null where one of them does not have it.</summary>
/// <param name="Key">Of what.</param>
/// <param name="Left">On the left.</param>
/// <param name="Right">On the right.</param>
internal sealed record ValuePair(string Key, string? Left, string? Right)
{
    /// <summary>Whether both have the same.</summary>
    public bool IsSame => Left == Right;
}

/// <summary>A layer, or an instruction that made none, of two artifacts; null where one of them does not have it.</summary>
internal sealed record LayerPair(LayerLine? Left, LayerLine? Right);

/// <summary>What two artifacts have in common, and what not. Pure: it reads nothing.</summary>
/// <param name="Layers">Their layers, side by side, in an order that is that of both.</param>
/// <param name="SharedBytes">Bytes of layers that both have.</param>
/// <param name="LeftBytes">Bytes of layers that only the left one has.</param>
/// <param name="RightBytes">Bytes of layers that only the right one has.</param>
internal sealed record ArtifactDifference(IReadOnlyList<LayerPair> Layers, long SharedBytes, long LeftBytes, long RightBytes)
{
    /// <summary>Compares layers.</summary>
    public static ArtifactDifference Of(IReadOnlyList<LayerLine> left, IReadOnlyList<LayerLine> right)
    {
        var pairs = Align(left, right);
        var (mine, theirs) = (BytesOf(left), BytesOf(right));
        var shared = mine.Where(l => theirs.ContainsKey(l.Key)).Sum(l => l.Value);
        return new ArtifactDifference(pairs, shared, mine.Values.Sum() - shared, theirs.Values.Sum() - shared);
    }

    /// <summary>Values by key: those of the left in their order, then those that only the right has.</summary>
    public static IReadOnlyList<ValuePair> ValuesOf(IReadOnlyList<(string Key, string Value)> left, IReadOnlyList<(string Key, string Value)> right)
    {
        // A key may stand twice, as in a list of variables: the last one holds.
        var (mine, theirs) = (Last(left), Last(right));
        return
        [
            .. left.Select(p => p.Key).Distinct(StringComparer.Ordinal).Select(k => new ValuePair(k, mine[k], theirs.GetValueOrDefault(k))),
            .. right.Select(p => p.Key).Distinct(StringComparer.Ordinal).Where(k => !mine.ContainsKey(k)).Select(k => new ValuePair(k, null, theirs[k])),
        ];
    }

    private static Dictionary<string, string> Last(IReadOnlyList<(string Key, string Value)> pairs)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in pairs) found[key] = value;
        return found;
    }

    private static Dictionary<string, long> BytesOf(IReadOnlyList<LayerLine> lines)
    {
        var found = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var line in lines.Where(l => l.Digest.Length > 0)) found[line.Digest] = line.Size;
        return found;
    }

    // The longest common subsequence: what is the same stands on one line, what is not stands where it is. Content bounds the number of lines.
    private static List<LayerPair> Align(IReadOnlyList<LayerLine> left, IReadOnlyList<LayerLine> right)
    {
        var common = new int[left.Count + 1, right.Count + 1];
        for (var i = left.Count - 1; i >= 0; i--)
        {
            for (var j = right.Count - 1; j >= 0; j--)
                common[i, j] = IsSame(left[i], right[j]) ? common[i + 1, j + 1] + 1 : Math.Max(common[i + 1, j], common[i, j + 1]);
        }
        var pairs = new List<LayerPair>();
        var (a, b) = (0, 0);
        while (a < left.Count || b < right.Count)
        {
            if (a < left.Count && b < right.Count && IsSame(left[a], right[b])) pairs.Add(new LayerPair(left[a++], right[b++]));
            else if (b == right.Count || (a < left.Count && common[a + 1, b] >= common[a, b + 1])) pairs.Add(new LayerPair(left[a++], null));
            else pairs.Add(new LayerPair(null, right[b++]));
        }
        return pairs;
    }

    private static bool IsSame(LayerLine left, LayerLine right) => left.Digest == right.Digest && (left.Digest.Length > 0 || left.Instruction == right.Instruction);
}
