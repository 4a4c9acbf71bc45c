using System.Globalization;
using Berth.Server.Platform.Options;

namespace Berth.Server.DockerRegistry;

/// <summary>Reads values of Docker Registry's tree with its types and writes settings of Berth that keep the origin.</summary>
internal sealed class DockerRegistryReader(ConfigMap root, ConfigProblems problems, DockerRegistryReport report)
{
    /// <summary>Origin of what Docker Registry does when a key is missing and Berth would do otherwise.</summary>
    public static readonly ConfigOrigin Default = new(ConfigSource.Default, "default of Docker Registry");

    public ConfigMap Target { get; } = new(ConfigOrigin.Default);

    public ConfigProblems Problems => problems;

    public DockerRegistryReport Report => report;

    public ConfigMap? Section(string key) => root.Find(key) as ConfigMap;

    public IReadOnlyList<ConfigNode> Items(string key) => root.Find(key) switch
    {
        ConfigList list => list.Items,
        ConfigScalar { Text: { Length: > 0 } } scalar => [scalar],
        _ => [],
    };

    public IReadOnlyList<string> Texts(string key) => Items(key).OfType<ConfigScalar>().Select(item => item.Text ?? "").ToArray();

    public ConfigOrigin Origin(string key) => root.Find(key)?.Origin ?? Default;

    public bool Has(string key) => Node(key) is not null;

    /// <summary>What stands at a key; null when it is missing or empty.</summary>
    public ConfigNode? Node(string key) => root.Find(key) is { } node and not ConfigScalar { Text: null } ? node : null;

    /// <summary>The text of a key; null when it is missing or empty in YAML's sense.</summary>
    public string? Text(string key)
    {
        var node = root.Find(key);
        if (node is null or ConfigScalar)
            return (node as ConfigScalar)?.Text;
        problems.Add(key, node.Origin, "must be a single value");
        return null;
    }

    public bool Switch(string key, bool missing)
    {
        if (Text(key) is not { Length: > 0 } text)
            return missing;
        if (ConfigText.TrySwitch(text, out var value))
            return value;
        problems.Add(key, Origin(key), $"\"{text}\" must be true or false");
        return missing;
    }

    public int Number(string key, int missing)
    {
        if (Text(key) is not { Length: > 0 } text)
            return missing;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
            return value;
        problems.Add(key, Origin(key), $"\"{text}\" must be a whole number");
        return missing;
    }

    /// <summary>A duration; a number without a unit is nanoseconds, as there. <paramref name="missing"/> also stands for 0.</summary>
    public TimeSpan Duration(string key, TimeSpan missing)
    {
        if (Text(key) is not { Length: > 0 } text)
            return missing;
        if (!ConfigText.TryDuration(text, out var value))
        {
            if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var nanoseconds))
            {
                problems.Add(key, Origin(key), $"\"{text}\" must be a duration such as 30s or 24h");
                return missing;
            }
            value = TimeSpan.FromTicks(nanoseconds / TimeSpan.NanosecondsPerTick);
            report.Warn(key, Origin(key), $"{text} has no unit and means nanoseconds; write {text}s for seconds");
        }
        return value == TimeSpan.Zero ? missing : value;
    }

    public void Put(string target, string value, ConfigOrigin origin) => Target.SetPath(target, new ConfigScalar(value, origin));

    public void Put(string target, bool value, ConfigOrigin origin) => Put(target, value ? "true" : "false", origin);

    public void Put(string target, TimeSpan value, ConfigOrigin origin) => Put(target, ConfigText.Duration(value), origin);

    public void Put(string target, int value, ConfigOrigin origin) => Put(target, value.ToString(CultureInfo.InvariantCulture), origin);

    /// <summary>Takes a value over as it is, when it is there.</summary>
    public void Copy(string key, string target)
    {
        if (Node(key) is { } node)
            Target.SetPath(target, node.Copy());
    }

    /// <summary>Takes a switch over when it is there.</summary>
    public void CopySwitch(string key, string target, bool opposite = false)
    {
        if (Has(key))
            Put(target, Switch(key, missing: opposite) != opposite, Origin(key));
    }
}
