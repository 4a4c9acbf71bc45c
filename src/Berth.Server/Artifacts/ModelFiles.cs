namespace Berth.Server.Artifacts;

/// <summary>The paths of a model's layers as a tree: folders first, then by name.</summary>
internal static class ModelFiles
{
    private const int MaxFiles = 10_000;
    private const int MaxDepth = 32;

    /// <summary>Builds the tree; a path that ends in a slash is a folder, and what lies too deep is left out.</summary>
    public static IReadOnlyList<ModelFileJson> Tree(IEnumerable<(string Path, long Size)> files)
    {
        var root = new Node();
        foreach (var (path, size) in files.Take(MaxFiles))
        {
            var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(p => p != ".").ToArray();
            if (parts.Length is 0 or > MaxDepth || parts.Contains("..")) continue;
            var node = root;
            foreach (var part in parts)
            {
                if (!node.Children.TryGetValue(part, out var child)) node.Children.Add(part, child = new Node());
                node = child;
            }
            if (!path.EndsWith('/')) node.Size = size;
        }
        return root.Show();
    }

    private sealed class Node
    {
        public SortedDictionary<string, Node> Children { get; } = new(StringComparer.Ordinal);

        public long? Size { get; set; }

        private bool IsFolder => Size is null || Children.Count > 0;

        public List<ModelFileJson> Show() =>
        [
            .. Children.OrderBy(c => !c.Value.IsFolder).ThenBy(c => c.Key, StringComparer.Ordinal).Select(c => new ModelFileJson
            {
                Name = c.Key,
                Type = c.Value.IsFolder ? "directory" : "file",
                Size = c.Value.IsFolder ? null : c.Value.Size,
                Children = c.Value.Children.Count > 0 ? c.Value.Show() : null,
            }),
        ];
    }
}
