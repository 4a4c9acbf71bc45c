namespace Berth.Server.Platform.Options;

/// <summary>Kind of place a setting comes from; later kinds win over earlier ones.</summary>
public enum ConfigSource
{
    Default,
    File,
    Environment,
    Flag,
}

/// <summary>Where a value was written, in words that lead an operator to it: <c>berth.yaml:12</c>, <c>environment BERTH_LOG__LEVEL</c>, <c>flag --data</c>.</summary>
public sealed record ConfigOrigin(ConfigSource Source, string Text)
{
    /// <summary>Nobody set it.</summary>
    public static ConfigOrigin Default { get; } = new(ConfigSource.Default, "default");

    public static ConfigOrigin File(string path, long line) => new(ConfigSource.File, $"{path}:{line}");

    public static ConfigOrigin Environment(string variable) => new(ConfigSource.Environment, $"environment {variable}");

    public static ConfigOrigin Flag(string flag) => new(ConfigSource.Flag, $"flag {flag}");

    public override string ToString() => Text;
}
