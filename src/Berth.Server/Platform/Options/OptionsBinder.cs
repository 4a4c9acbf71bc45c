using System.Globalization;
using System.Reflection;

namespace Berth.Server.Platform.Options;

/// <summary>
/// Fills option records from a configuration tree. It walks what was written, not what could be, so an empty tree costs nothing.
/// Everything that is wrong is reported; a wrong value leaves the default in place.
/// </summary>
public sealed class OptionsBinder
{
    private const int MaxSecretFileBytes = 64 * 1024;

    private readonly Type root;
    private readonly ConfigProblems problems;

    private OptionsBinder(Type root, ConfigProblems problems)
    {
        this.root = root;
        this.problems = problems;
    }

    /// <summary>A record with the values of the tree over the record's own defaults.</summary>
    public static T Bind<T>(ConfigMap tree, ConfigProblems problems)
        where T : class, new()
    {
        var options = new T();
        new OptionsBinder(typeof(T), problems).Fill(options, tree, "");
        return options;
    }

    private void Fill(object options, ConfigMap map, string prefix)
    {
        var properties = OptionsSchema.Properties(options.GetType());
        foreach (var (key, node) in map.Entries)
        {
            var property = Array.Find(properties, candidate => string.Equals(candidate.Name, key, StringComparison.OrdinalIgnoreCase));
            if (property is not null)
                SetProperty(options, property, node, prefix + OptionsSchema.KeyOf(property));
            else if (SecretWithFile(properties, key) is { } secret)
                SetFromFile(options, secret, node, map, prefix);
            else
                problems.Add(prefix + key, node.Origin, Unknown(key, prefix, properties));
        }
    }

    private string Unknown(string key, string prefix, PropertyInfo[] properties)
    {
        // The right name in the wrong section is a likelier slip than a near name in this one.
        var elsewhere = OptionsSchema.Keys(root)
            .FirstOrDefault(known => string.Equals(known.Property.Name, key, StringComparison.OrdinalIgnoreCase))?.Path;
        var here = NearestKey.Find(key, properties.Select(OptionsSchema.KeyOf));
        var near = here is not null && NearestKey.Distance(key, here) <= Math.Max(2, key.Length / 3);
        return $"there is no such setting; did you mean \"{(elsewhere is not null && !near ? elsewhere : prefix + here)}\"?";
    }

    private static PropertyInfo? SecretWithFile(PropertyInfo[] properties, string key) =>
        key.EndsWith("File", StringComparison.OrdinalIgnoreCase)
            ? Array.Find(properties, candidate => candidate.PropertyType == typeof(string) && OptionsSchema.IsSecret(candidate)
                && string.Equals(candidate.Name, key[..^4], StringComparison.OrdinalIgnoreCase))
            : null;

    private void SetFromFile(object options, PropertyInfo property, ConfigNode node, ConfigMap map, string prefix)
    {
        var key = prefix + OptionsSchema.KeyOf(property);
        if (node is not ConfigScalar { Text: { } path })
        {
            problems.Add(key + "File", node.Origin, "must be the path of a file that holds the value");
            return;
        }
        if (map[property.Name] is ConfigScalar { Text: not null } direct)
        {
            problems.Add(key, direct.Origin, $"is also given as a file ({node.Origin}); keep one of the two");
            return;
        }
        try
        {
            var file = new FileInfo(path);
            if (file.Length > MaxSecretFileBytes)
                problems.Add(key + "File", node.Origin, $"the file {path} is larger than {MaxSecretFileBytes} bytes");
            else
                property.SetValue(options, File.ReadAllText(path).TrimEnd('\r', '\n'));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            problems.Add(key + "File", node.Origin, $"the file {path} cannot be read; check that it exists and that this user may read it");
        }
    }

    private void SetProperty(object options, PropertyInfo property, ConfigNode node, string key)
    {
        if (node is ConfigScalar { Text: null })
            return;
        if (OptionsSchema.IsSection(property.PropertyType))
        {
            if (node is ConfigMap map)
                Fill(SectionOf(options, property), map, key + ".");
            else
                problems.Add(key, node.Origin, "is a section with settings of its own, not a value");
            return;
        }
        if (Value(property.PropertyType, property, node, key) is { } value)
            property.SetValue(options, value);
    }

    // A section that is only there when it is written.
    private static object SectionOf(object options, PropertyInfo property)
    {
        if (property.GetValue(options) is { } section) return section;
        section = Activator.CreateInstance(property.PropertyType)!;
        property.SetValue(options, section);
        return section;
    }

    private object? Value(Type type, PropertyInfo property, ConfigNode node, string key)
    {
        if (OptionsSchema.ListItem(type) is { } item)
            return List(item, property, Flow(node), key);
        if (type == typeof(IReadOnlyDictionary<string, string>))
            return Map(Flow(node), key, (child, childKey) => Scalar(typeof(string), property, child, childKey) as string);
        if (type == typeof(IReadOnlyDictionary<string, IReadOnlyList<string>>))
            return Map(Flow(node), key, (child, childKey) => List(typeof(string), property, Flow(child), childKey) as IReadOnlyList<string>);
        return Scalar(type, property, node, key);
    }

    private object? List(Type item, PropertyInfo property, ConfigNode node, string key)
    {
        List<ConfigNode> nodes = node switch
        {
            ConfigList list => list.Items,
            ConfigScalar { Text: "" or null } => [],
            ConfigScalar => [node],
            _ => [],
        };
        if (node is ConfigMap)
        {
            problems.Add(key, node.Origin, "must be a list");
            return null;
        }
        var values = Array.CreateInstance(item, nodes.Count);
        for (var i = 0; i < nodes.Count; i++)
        {
            var itemKey = $"{key}[{i}]";
            if (!OptionsSchema.IsSection(item))
            {
                values.SetValue(Value(item, property, nodes[i], itemKey) ?? (item == typeof(string) ? "" : null), i);
                continue;
            }
            var element = Activator.CreateInstance(item)!;
            if (nodes[i] is ConfigMap map)
                Fill(element, map, itemKey + ".");
            else
                problems.Add(itemKey, nodes[i].Origin, "must have settings of its own (name: value)");
            values.SetValue(element, i);
        }
        return values;
    }

    private Dictionary<string, T>? Map<T>(ConfigNode node, string key, Func<ConfigNode, string, T?> valueOf)
        where T : class
    {
        if (node is not ConfigMap map)
        {
            problems.Add(key, node.Origin, "must be a map (name: value)");
            return null;
        }
        var values = new Dictionary<string, T>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, child) in map.Entries)
        {
            if (valueOf(child, $"{key}.{name}") is { } value)
                values[name] = value;
        }
        return values;
    }

    private object? Scalar(Type type, PropertyInfo property, ConfigNode node, string key)
    {
        if (node is not ConfigScalar scalar)
        {
            problems.Add(key, node.Origin, "must be a single value");
            return null;
        }
        if (scalar.Text is not { } text)
            return null;
        var (value, expected) = Parse(Nullable.GetUnderlyingType(type) ?? type, property, text);
        if (value is null)
            problems.Add(key, node.Origin, OptionsSchema.IsSecret(property) ? $"must be {expected}" : $"\"{text}\" must be {expected}");
        return value;
    }

    private static (object? Value, string Expected) Parse(Type type, PropertyInfo property, string text)
    {
        if (type == typeof(string))
            return (text, "");
        if (type == typeof(bool))
            return (ConfigText.TrySwitch(text, out var flag) ? flag : null, "true or false");
        if (type == typeof(TimeSpan))
            return (ConfigText.TryDuration(text, out var duration) ? duration : null, "a duration such as 30s, 5m, 24h or 7d");
        if (type == typeof(double))
            return (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) ? real : null, "a number such as 0.5");
        if (type.IsEnum)
            return (EnumValue(type, text), "one of " + string.Join(", ", Enum.GetNames(type).Select(OptionsSchema.CamelCase)));
        if (type != typeof(int) && type != typeof(long))
            throw new NotSupportedException($"no settings of type {type}");
        var isSize = OptionsSchema.IsSize(property);
        var parsed = isSize ? ConfigText.TrySize(text, out var number) : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);
        var fits = parsed && (type == typeof(long) || number is >= int.MinValue and <= int.MaxValue);
        var kind = isSize ? "a size such as 512MiB, 4GB or 1024" : "a whole number";
        return (!fits ? null : type == typeof(int) ? (object)(int)number : number, parsed ? kind + " (this one is too large)" : kind);
    }

    // "require-and-verify" and "info" are as good as RequireAndVerify and Information.
    private static object? EnumValue(Type type, string text)
    {
        var word = text.Trim().Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal);
        var names = Enum.GetNames(type);
        var exact = Array.Find(names, name => string.Equals(name, word, StringComparison.OrdinalIgnoreCase));
        if (exact is null && word.Length >= 3)
        {
            var matches = Array.FindAll(names, name => name.StartsWith(word, StringComparison.OrdinalIgnoreCase));
            exact = matches.Length == 1 ? matches[0] : null;
        }
        return exact is null ? null : Enum.Parse(type, exact);
    }

    /// <summary>A list or map may be written in one environment variable or flag in YAML's flow style: <c>[a, b]</c>, <c>{a: b}</c>.</summary>
    private static ConfigNode Flow(ConfigNode node)
    {
        if (node is not ConfigScalar { Text: { } text } || text.TrimStart() is not ['[' or '{', ..])
            return node;
        var ignored = new ConfigProblems();
        return YamlTree.Read(text, _ => node.Origin, ignored) ?? node;
    }
}
