using System.Globalization;
using Berth.Server.Platform.Options;

namespace Berth.Server.DockerRegistry;

/// <summary>
/// Docker Registry's rules for <c>REGISTRY_*</c> variables: the name is split at underscores; fields of its structures are matched by
/// their name in capitals (a few differ from the YAML key), entries of maps without regard to case and made in small letters when missing,
/// list items by position; the value is YAML; shorter names come first, so that a part can be set after its whole.
/// One difference: a variable below a nested map of the file (<c>REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED</c>) counts here, while
/// Docker Registry skips it or fails.
/// </summary>
internal sealed class DockerRegistryEnvironment(DockerRegistryReport report, ConfigProblems problems)
{
    private const string Prefix = "REGISTRY_";

    // Not settings: the file for the commands, and where podman, skopeo and buildah keep their credentials.
    private static readonly string[] NotSettings = ["REGISTRY_CONFIGURATION_PATH", "REGISTRY_AUTH_FILE"];

    // Fields whose name in Docker Registry's structures is not the YAML key in capitals.
    private static readonly Dictionary<string, string> FieldNames = new(StringComparer.Ordinal)
    {
        ["notifications.events"] = "EVENTCONFIG",
        ["health.file"] = "FILECHECKERS",
        ["health.http"] = "HTTPCHECKERS",
        ["health.tcp"] = "TCPCHECKERS",
        ["log.hooks[].options"] = "MAILOPTIONS",
        ["compatibility.schema1.signingkeyfile"] = "TRUSTKEY",
    };

    private static readonly Lazy<Shape> Root = new(Shape.OfTable);

    /// <summary>The environment variable of a key of the table; null where free names stand or the key has none.</summary>
    public static string? VariableOf(string path)
    {
        var shape = Root.Value;
        var name = Prefix[..^1];
        foreach (var segment in path.Split('.'))
        {
            var isItem = segment.EndsWith("[]", StringComparison.Ordinal);
            var key = isItem ? segment[..^2] : segment;
            if (key == "*" || key.Contains('_', StringComparison.Ordinal) || !shape.Children.TryGetValue(key, out var child))
                return null;
            name += "_" + child.Variable + (isItem ? "_0" : "");
            shape = child;
        }
        return path == "version" ? null : name;
    }

    /// <summary>A driver given by its bare name (<c>storage: filesystem</c>) as a map with that one entry.</summary>
    public static ConfigNode NameAsMap(ConfigNode node)
    {
        if (node is not ConfigScalar { Text: { Length: > 0 } name })
            return node;
        var map = new ConfigMap(node.Origin);
        map.Set(name, new ConfigMap(node.Origin));
        return map;
    }

    public void Apply(ConfigMap root, IReadOnlyDictionary<string, string> environment)
    {
        var names = environment.Keys.Where(name => name.StartsWith(Prefix, StringComparison.Ordinal) && !NotSettings.Contains(name));
        foreach (var name in names.Order(StringComparer.Ordinal))
        {
            var origin = ConfigOrigin.Environment(name);
            var path = name[Prefix.Length..].Split('_');
            if (path[0] == "VERSION" || !IsField(path))
                report.UnknownVariable(name);
            else if (YamlTree.Read(environment[name], _ => origin, problems, lastKeyWins: true) is { } value)
                Put(root, Root.Value, path, value);
        }
    }

    private static bool IsField(string[] path)
    {
        var shape = Root.Value;
        for (var i = 0; i < path.Length; i++)
        {
            if (path[i].Length == 0)
                return false;
            if (shape.IsMap)
                return true;
            if (shape.Children.Values.FirstOrDefault(child => child.Variable == path[i]) is not { } child)
                return false;
            shape = child;
            if (shape.IsList && i + 1 < path.Length)
                i++;
        }
        return true;
    }

    private void Put(ConfigMap map, Shape shape, ReadOnlySpan<string> path, ConfigNode value)
    {
        var (key, child) = Locate(map, shape, path[0]);
        if (path.Length == 1)
        {
            map.Set(key, child.IsName ? NameAsMap(value) : value);
            return;
        }
        if (child.IsList || map[key] is ConfigList)
        {
            if (map[key] is not ConfigList list)
                map.Set(key, list = new ConfigList(value.Origin));
            PutItem(list, child, path[1..], value);
            return;
        }
        if (map[key] is not ConfigMap section)
            map.Set(key, section = new ConfigMap(value.Origin));
        Put(section, child, path[1..], value);
    }

    private void PutItem(ConfigList list, Shape shape, ReadOnlySpan<string> path, ConfigNode value)
    {
        if (!int.TryParse(path[0], NumberStyles.None, CultureInfo.InvariantCulture, out var index) || index > list.Items.Count)
        {
            problems.Add("", value.Origin, $"\"{path[0]}\" is not a position in a list of {list.Items.Count} items; the next is {list.Items.Count}");
            return;
        }
        if (index == list.Items.Count)
            list.Items.Add(path.Length == 1 ? value : new ConfigMap(value.Origin));
        if (path.Length == 1)
        {
            list.Items[index] = value;
            return;
        }
        if (list.Items[index] is not ConfigMap item)
            list.Items[index] = item = new ConfigMap(value.Origin);
        Put(item, shape, path[1..], value);
    }

    private static (string Key, Shape Shape) Locate(ConfigMap map, Shape shape, string segment)
    {
        foreach (var (name, child) in shape.Children)
        {
            if (child.Variable == segment)
                return (name, child);
        }
        var existing = map.Entries.FirstOrDefault(entry => string.Equals(entry.Key, segment, StringComparison.OrdinalIgnoreCase)).Key;
        return (existing ?? segment.ToLowerInvariant(), Shape.Free);
    }

    /// <summary>The types behind the keys, read off the table: what is a structure, a map with free names, a list.</summary>
    private sealed class Shape
    {
        // Typed as maps in Docker Registry: any name may be set below them.
        private static readonly string[] Maps = ["storage", "auth", "log.fields", "middleware"];

        public static readonly Shape Free = new() { IsMap = true };

        public Dictionary<string, Shape> Children { get; } = new(StringComparer.Ordinal);

        public string Variable { get; private init; } = "";

        public bool IsMap { get; private set; }

        public bool IsList { get; private set; }

        /// <summary>A bare word in place of the map names its only entry.</summary>
        public bool IsName { get; private init; }

        public static Shape OfTable()
        {
            var root = new Shape();
            foreach (var key in DockerRegistryKeys.All)
            {
                var shape = root;
                var path = "";
                foreach (var segment in key.Path.Split('.'))
                {
                    path += (path.Length == 0 ? "" : ".") + segment;
                    shape = shape.Child(segment, path);
                }
            }
            return root;
        }

        private Shape Child(string segment, string path)
        {
            var isItem = segment.EndsWith("[]", StringComparison.Ordinal);
            var name = isItem ? segment[..^2] : segment;
            if (name == "*")
            {
                IsMap = true;
                return new Shape { IsMap = true };
            }
            var plainPath = isItem ? path[..^2] : path;
            if (!Children.TryGetValue(name, out var child))
            {
                child = new Shape
                {
                    Variable = FieldNames.GetValueOrDefault(plainPath, name.ToUpperInvariant()),
                    IsMap = IsMap || Maps.Contains(plainPath),
                    IsName = plainPath is "storage" or "auth",
                };
                Children.Add(name, child);
            }
            child.IsList |= isItem;
            return child;
        }
    }
}
