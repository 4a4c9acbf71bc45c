using System.Collections;
using Berth.Server.DockerRegistry;
using Berth.Server.Platform.Options;

namespace Berth.Server;

/// <summary>What a start knows about its surroundings before it has read any setting.</summary>
public sealed record ConfigurationSources
{
    /// <summary>File named on the command line; null looks at <c>BERTH_CONFIG</c>, <c>./berth.yaml</c> and <c>/etc/berth/berth.yaml</c>.</summary>
    public string? File { get; init; }

    /// <summary>Refuse a file that is not Docker Registry's (commands <c>registry …</c>).</summary>
    public bool RequireDockerRegistryFile { get; init; }

    /// <summary>Environment variables.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Settings from flags: setting, flag, value.</summary>
    public IReadOnlyList<(string Key, string Flag, IReadOnlyList<string> Values)> Flags { get; init; } = [];

    /// <summary>The environment of this process.</summary>
    public static IReadOnlyDictionary<string, string> ProcessEnvironment()
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry entry in System.Environment.GetEnvironmentVariables())
            variables[(string)entry.Key] = (string?)entry.Value ?? "";
        return variables;
    }
}

/// <summary>
/// The settings in force and where each came from: defaults, then one file (<c>berth.yaml</c> or Docker Registry's <c>config.yml</c> with its
/// <c>REGISTRY_*</c> variables), then <c>BERTH_*</c> variables, then flags.
/// </summary>
public sealed record BerthConfiguration(BerthOptions Options, ConfigMap Tree, string? File, DockerRegistryReport? DockerRegistry)
{
    /// <summary>Start of every environment variable that is a setting.</summary>
    public const string VariablePrefix = "BERTH_";

    /// <summary>Variables with the prefix that are not settings: the file to read, and the first administrator's password.</summary>
    public static readonly IReadOnlyList<string> OtherVariables = ["BERTH_CONFIG", "BERTH_ADMIN_PASSWORD", "BERTH_ADMIN_PASSWORD_FILE", "BERTH_ADVISORIES", "BERTH_ADVISORY_SOURCES"];

    /// <summary>A configuration of nothing but defaults and the given record; for tests and embedding.</summary>
    public static BerthConfiguration Of(BerthOptions options) => new(options, new ConfigMap(ConfigOrigin.Default), null, null);

    /// <summary>Every setting with its value and origin, secrets masked.</summary>
    public IEnumerable<SettingValue> Settings() => OptionsSchema.Values(Options, Tree);

    /// <summary>
    /// Reads, lays over each other, binds and checks all sources. <paramref name="found"/> holds everything that is wrong; the result is null then.
    /// </summary>
    public static BerthConfiguration? Load(ConfigurationSources sources, out IReadOnlyList<ConfigProblem> found)
    {
        var problems = new ConfigProblems();
        found = problems.Items;
        var file = FindFile(sources);
        DockerRegistryReport? report = null;
        var tree = new ConfigMap(ConfigOrigin.Default);
        if (file is not null)
        {
            var root = ReadFile(file, problems);
            if (root is null && problems.Items.Count > 0)
                return null;
            if (root is not null && DockerRegistryFile.Recognises(root))
                (tree, report) = DockerRegistryFile.Map(root, file, sources.Environment, problems);
            else if (sources.RequireDockerRegistryFile)
                problems.Add("version", ConfigOrigin.File(file, 1), "is missing; this command takes a Docker Registry configuration (version: 0.1), use berth serve --config for berth.yaml");
            else if (root is not null)
                tree = root;
        }
        EnvironmentTree.Apply(
            tree, sources.Environment, VariablePrefix, OptionsSchema.Properties(typeof(BerthOptions)).Select(OptionsSchema.KeyOf).ToArray(), OtherVariables, problems);
        foreach (var (key, flag, values) in sources.Flags)
            tree.SetPath(key, Flag(values, ConfigOrigin.Flag(flag)));
        var options = OptionsBinder.Bind<BerthOptions>(tree, problems);
        BerthOptionsRules.Check(options, tree, problems);
        return problems.Items.Count > 0 ? null : new BerthConfiguration(options, tree, file, report);
    }

    private static ConfigNode Flag(IReadOnlyList<string> values, ConfigOrigin origin)
    {
        if (values.Count == 1)
            return new ConfigScalar(values[0], origin);
        var list = new ConfigList(origin);
        list.Items.AddRange(values.Select(value => new ConfigScalar(value, origin)));
        return list;
    }

    private static string? FindFile(ConfigurationSources sources)
    {
        if (sources.File is not null)
            return sources.File;
        if (sources.Environment.TryGetValue("BERTH_CONFIG", out var named) && named.Length > 0)
            return named;
        return Array.Find(["berth.yaml", "/etc/berth/berth.yaml"], System.IO.File.Exists);
    }

    private static ConfigMap? ReadFile(string file, ConfigProblems problems)
    {
        string text;
        try
        {
            text = System.IO.File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var what = e is FileNotFoundException or DirectoryNotFoundException ? "does not exist" : "cannot be read by this user";
            problems.Add("", ConfigOrigin.Default, $"the configuration file {file} {what}");
            return null;
        }
        var node = YamlTree.Read(text, line => ConfigOrigin.File(file, line), problems, lastKeyWins: DockerRegistryFile.LooksLike(text));
        if (node is null or ConfigMap)
            return (ConfigMap?)node;
        if (node is not ConfigScalar { Text: null })
            problems.Add("", node.Origin, "the file must hold sections and settings (name: value)");
        return null;
    }
}
