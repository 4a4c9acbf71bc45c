namespace Berth.Server.Platform.Options;

/// <summary>A part of the configuration tree; every node knows where it was written.</summary>
public abstract class ConfigNode(ConfigOrigin origin)
{
    public ConfigOrigin Origin { get; } = origin;

    /// <summary>A deep copy: YAML aliases must not share nodes that a later source changes.</summary>
    public abstract ConfigNode Copy();
}

/// <summary>One value as text; a null text is YAML's null, which leaves the default in force.</summary>
public sealed class ConfigScalar(string? text, ConfigOrigin origin) : ConfigNode(origin)
{
    public string? Text { get; } = text;

    public override ConfigNode Copy() => new ConfigScalar(Text, Origin);
}

/// <summary>A sequence.</summary>
public sealed class ConfigList(ConfigOrigin origin) : ConfigNode(origin)
{
    public List<ConfigNode> Items { get; } = [];

    public override ConfigNode Copy()
    {
        var copy = new ConfigList(Origin);
        copy.Items.AddRange(Items.Select(item => item.Copy()));
        return copy;
    }
}

/// <summary>Keys and values in the order of writing; keys are matched without regard to case.</summary>
public sealed class ConfigMap(ConfigOrigin origin) : ConfigNode(origin)
{
    private readonly List<KeyValuePair<string, ConfigNode>> entries = [];

    public IReadOnlyList<KeyValuePair<string, ConfigNode>> Entries => entries;

    public ConfigNode? this[string key]
    {
        get
        {
            var index = IndexOf(key);
            return index < 0 ? null : entries[index].Value;
        }
    }

    /// <summary>Adds the key or replaces its value, keeping the spelling that came first.</summary>
    public void Set(string key, ConfigNode value)
    {
        var index = IndexOf(key);
        if (index < 0)
            entries.Add(new(key, value));
        else
            entries[index] = new(entries[index].Key, value);
    }

    public bool Contains(string key) => IndexOf(key) >= 0;

    /// <summary>Sets a value below sections that are made when missing; <paramref name="path"/> is dotted.</summary>
    public void SetPath(string path, ConfigNode value)
    {
        var map = this;
        var segments = path.Split('.');
        foreach (var segment in segments[..^1])
            map = map.Section(segment, value.Origin);
        map.Set(segments[^1], value);
    }

    /// <summary>The map under a key, made when the key is missing or holds something else.</summary>
    public ConfigMap Section(string key, ConfigOrigin origin)
    {
        if (this[key] is ConfigMap map)
            return map;
        map = new ConfigMap(origin);
        Set(key, map);
        return map;
    }

    /// <summary>The node at a dotted path whose list items are numbers in brackets (<c>a.b[0].c</c>), or null.</summary>
    public ConfigNode? Find(string path)
    {
        ConfigNode? node = this;
        foreach (var segment in path.Replace("[", ".[", StringComparison.Ordinal).Split('.'))
        {
            node = segment.StartsWith('[') && node is ConfigList list
                ? list.Items.ElementAtOrDefault(int.Parse(segment.AsSpan(1, segment.Length - 2)))
                : (node as ConfigMap)?[segment];
            if (node is null)
                return null;
        }
        return node;
    }

    public override ConfigNode Copy()
    {
        var copy = new ConfigMap(Origin);
        foreach (var (key, value) in entries)
            copy.entries.Add(new(key, value.Copy()));
        return copy;
    }

    private int IndexOf(string key) => entries.FindIndex(entry => string.Equals(entry.Key, key, StringComparison.OrdinalIgnoreCase));
}
