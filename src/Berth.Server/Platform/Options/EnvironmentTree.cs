using System.Globalization;

namespace Berth.Server.Platform.Options;

/// <summary>Lays environment variables over the tree: <c>PREFIX_SECTION__KEY</c>, list items as <c>__0</c>, secrets from files as <c>…_FILE</c>.</summary>
public static class EnvironmentTree
{
    /// <summary>Writes every variable that starts with the prefix into the tree; wrong names surface when the tree is bound.</summary>
    /// <param name="tree">Changed in place.</param>
    /// <param name="environment">Names and values.</param>
    /// <param name="prefix">Such as <c>BERTH_</c>; matched exactly.</param>
    /// <param name="rootKeys">Keys of the top level. A variable without <c>__</c> that is not nearly one of them belongs to somebody else
    /// (Kubernetes sets <c>BERTH_PORT</c> for a service called berth) and is left alone.</param>
    /// <param name="reserved">Whole names with the prefix that are not settings.</param>
    /// <param name="problems">Gets list positions that leave a gap.</param>
    public static void Apply(
        ConfigMap tree,
        IEnumerable<KeyValuePair<string, string>> environment,
        string prefix,
        IReadOnlyCollection<string> rootKeys,
        IReadOnlyCollection<string> reserved,
        ConfigProblems problems)
    {
        var variables = environment
            .Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal) && !reserved.Contains(pair.Key))
            .Select(pair => (Name: pair.Key, Path: pair.Key[prefix.Length..].Split("__"), pair.Value))
            .Where(variable => variable.Path.Length > 1 || IsNearly(variable.Path[0], rootKeys))
            .OrderBy(variable => variable.Path, Comparer<string[]>.Create(ComparePaths));
        foreach (var (name, path, value) in variables)
        {
            if (path.Any(segment => segment.Length == 0))
            {
                problems.Add("", ConfigOrigin.Environment(name), "a part of the name is empty; write SECTION__KEY");
                continue;
            }
            if (path[^1].EndsWith("_FILE", StringComparison.OrdinalIgnoreCase))
                path[^1] = path[^1][..^5] + "File";
            Put(tree, path, new ConfigScalar(value, ConfigOrigin.Environment(name)), problems);
        }
    }

    private static bool IsNearly(string name, IReadOnlyCollection<string> rootKeys)
    {
        var plain = name.Replace("_", "", StringComparison.Ordinal);
        return rootKeys.Any(key =>
            NearestKey.Distance(plain, key) <= 2 || (plain.Length >= 3 && key.StartsWith(plain, StringComparison.OrdinalIgnoreCase)));
    }

    private static void Put(ConfigMap tree, string[] path, ConfigScalar value, ConfigProblems problems)
    {
        ConfigNode parent = tree;
        for (var depth = 0; depth < path.Length; depth++)
        {
            var last = depth == path.Length - 1;
            var next = last ? value : NewParent(path[depth + 1], value.Origin);
            if (parent is ConfigMap map)
            {
                if (last || map[path[depth]] is null or ConfigScalar)
                    map.Set(path[depth], next);
                parent = map[path[depth]]!;
            }
            else if (parent is ConfigList list && IsIndex(path[depth], out var index))
            {
                if (index > list.Items.Count)
                {
                    problems.Add("", value.Origin, $"the list has {list.Items.Count} items, so the next position is {list.Items.Count}");
                    return;
                }
                if (index == list.Items.Count)
                    list.Items.Add(next);
                else if (last || list.Items[index] is ConfigScalar)
                    list.Items[index] = next;
                parent = list.Items[index];
            }
            else
            {
                problems.Add("", value.Origin, $"\"{path[depth]}\" must be a position in the list, such as 0");
                return;
            }
        }
    }

    private static ConfigNode NewParent(string nextSegment, ConfigOrigin origin) =>
        IsIndex(nextSegment, out _) ? new ConfigList(origin) : new ConfigMap(origin);

    private static bool IsIndex(string segment, out int index) =>
        int.TryParse(segment, NumberStyles.None, CultureInfo.InvariantCulture, out index);

    // Whole sections come before their parts, list positions in the order of numbers.
    private static int ComparePaths(string[] a, string[] b)
    {
        for (var i = 0; i < Math.Min(a.Length, b.Length); i++)
        {
            var order = IsIndex(a[i], out var x) && IsIndex(b[i], out var y)
                ? x.CompareTo(y)
                : string.Compare(a[i], b[i], StringComparison.OrdinalIgnoreCase);
            if (order != 0)
                return order;
        }
        return a.Length.CompareTo(b.Length);
    }
}
