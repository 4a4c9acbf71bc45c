using Berth.Server.Platform.Options;

namespace Berth.Server.DockerRegistry;

/// <summary>
/// Docker Registry's <c>config.yml</c> as a configuration of Berth. (1) <c>REGISTRY_*</c> variables are laid over the file by that
/// program's rules; (2) every key that is written is looked up in <see cref="DockerRegistryKeys"/>; (3) what is honoured becomes settings of
/// Berth that remember the line they came from; (4) the rest is named in one start-up message, or stops the start.
/// </summary>
public static class DockerRegistryFile
{
    /// <summary>Where Docker Registry keeps its data when nothing else is said.</summary>
    public const string DefaultRootDirectory = "/var/lib/registry";

    private static readonly string[] StorageSettings = ["delete", "redirect", "cache", "tag", "maintenance"];

    /// <summary>True for text that begins a line with <c>version:</c>; decides how equal keys are treated before the text is parsed.</summary>
    public static bool LooksLike(string text) =>
        text.StartsWith("version:", StringComparison.Ordinal) || text.Contains("\nversion:", StringComparison.Ordinal);

    /// <summary>True when the file has Docker Registry's version mark; <c>berth.yaml</c> has no such key.</summary>
    public static bool Recognises(ConfigMap root) =>
        root["version"] is ConfigScalar { Text: { } version } && version.Split('.') is [{ Length: > 0 } major, { Length: > 0 } minor]
        && major.All(char.IsAsciiDigit) && minor.All(char.IsAsciiDigit);

    /// <summary>Maps a parsed file and its environment onto Berth's settings.</summary>
    /// <param name="root">The parsed file; changed by the environment.</param>
    /// <param name="file">Its path, for messages.</param>
    /// <param name="environment">All environment variables.</param>
    /// <param name="problems">Gets what stops the start.</param>
    public static (ConfigMap Tree, DockerRegistryReport Report) Map(
        ConfigMap root, string file, IReadOnlyDictionary<string, string> environment, ConfigProblems problems)
    {
        var report = new DockerRegistryReport(file);
        if (root["version"] is ConfigScalar version && version.Text != "0.1")
            problems.Add("version", version.Origin, $"{version.Text} is not known; Docker Registry's configurations have version 0.1");
        foreach (var name in new[] { "storage", "auth" })
        {
            if (root[name] is { } section)
                root.Set(name, DockerRegistryEnvironment.NameAsMap(section));
        }
        new DockerRegistryEnvironment(report, problems).Apply(root, environment);          // (1)
        DockerRegistryObjectStores.RenameAlias(root);
        Walk(root, "", report);                                                            // (2)
        var reader = new DockerRegistryReader(root, problems, report);
        RequireOneStorage(reader);
        DockerRegistryStorage.Map(reader, environment);                                    // (3)
        DockerRegistryHttp.Map(reader);
        DockerRegistryAuth.Map(reader);
        DockerRegistryRules.Map(reader);
        StopWhereDataWouldGoAstray(reader);                                                // (4)
        return (reader.Target, report);
    }

    private static void Walk(ConfigNode node, string path, DockerRegistryReport report)
    {
        switch (node)
        {
            case ConfigMap map:
                foreach (var (key, child) in map.Entries)
                    Walk(child, path.Length == 0 ? key : $"{path}.{key}", report);
                break;
            case ConfigList list when DockerRegistryKeys.Find(path) is null:
                foreach (var item in list.Items)
                    Walk(item, path + "[]", report);
                break;
            case ConfigScalar { Text: null } when DockerRegistryKeys.Find(path) is null:
                break;
            default:
                report.Met(path, node.Origin);
                break;
        }
    }

    private static void RequireOneStorage(DockerRegistryReader reader)
    {
        var drivers = reader.Section("storage")?.Entries
            .Where(entry => !StorageSettings.Contains(entry.Key, StringComparer.OrdinalIgnoreCase)).ToArray() ?? [];
        if (drivers.Length == 0)
        {
            reader.Problems.Add("storage", reader.Origin("storage"), "names no storage; set storage.filesystem.rootdirectory, or storage.s3, azure, gcs or swift");
            return;
        }
        if (drivers.Length > 1)
        {
            reader.Problems.Add("storage", drivers[1].Value.Origin, $"has {string.Join(" and ", drivers.Select(driver => driver.Key))}; keep one of them");
            return;
        }
        var (name, node) = drivers[0];
        if (string.Equals(name, "filesystem", StringComparison.OrdinalIgnoreCase) || DockerRegistryObjectStores.Knows(name))
            return;
        var reason = DockerRegistryKeys.All.FirstOrDefault(key => string.Equals(key.Group, $"storage.{name}", StringComparison.OrdinalIgnoreCase))?.Text
            ?? "there is no such storage; use filesystem, s3, azure, gcs or swift";
        reader.Problems.Add($"storage.{name}", node.Origin, reason);
    }

    private static void StopWhereDataWouldGoAstray(DockerRegistryReader reader)
    {
        if (reader.Text("proxy.remoteurl") is { Length: > 0 })
        {
            reader.Problems.Add("proxy.remoteurl", reader.Origin("proxy.remoteurl"),
                $"{DockerRegistryKeys.Find("proxy.remoteurl")!.Text}; without it this address would hold only what is pushed to it, so remove the proxy section to start");
        }
        if (reader.Text("http.tls.letsencrypt.cachefile") is { Length: > 0 })
        {
            reader.Problems.Add("http.tls.letsencrypt.cachefile", reader.Origin("http.tls.letsencrypt.cachefile"),
                DockerRegistryKeys.Find("http.tls.letsencrypt.cachefile")!.Text);
        }
    }
}
