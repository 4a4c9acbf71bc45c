using Berth.Server.Platform.Options;

namespace Berth.Server.DockerRegistry;

/// <summary>Sections <c>log</c>, <c>notifications</c>, <c>health</c>, <c>validation</c> and <c>policy</c>.</summary>
internal static class DockerRegistryRules
{
    public static void Map(DockerRegistryReader reader)
    {
        MapLog(reader);
        MapNotifications(reader);
        MapHealth(reader);
        MapValidation(reader);
        reader.Copy("policy.repository.classes", "registry.repositoryClasses");
    }

    private static void MapLog(DockerRegistryReader reader)
    {
        var levelKey = reader.Text("log.level") is { Length: > 0 } ? "log.level" : "loglevel";
        if (reader.Text(levelKey) is { Length: > 0 } level)
        {
            if (level.ToLowerInvariant() is "error" or "warn" or "info" or "debug")
                reader.Put("log.level", level, reader.Origin(levelKey));
            else
                reader.Problems.Add(levelKey, reader.Origin(levelKey), $"\"{level}\" must be error, warn, info or debug");
        }
        if (reader.Text("log.formatter") is { Length: > 0 })
            reader.Copy("log.formatter", "log.format");
        reader.Copy("log.fields", "log.fields");
        reader.CopySwitch("log.accesslog.disabled", "log.accessLog", opposite: true);
    }

    private static void MapNotifications(DockerRegistryReader reader)
    {
        reader.CopySwitch("notifications.events.includereferences", "notifications.includeReferences");
        for (var i = 0; i < reader.Items("notifications.endpoints").Count; i++)
        {
            var (from, to) = ($"notifications.endpoints[{i}]", NewItem(reader, "notifications.endpoints", reader.Origin($"notifications.endpoints[{i}]")));
            foreach (var name in new[] { "name", "disabled", "url", "headers" })
                CopyInto(reader, $"{from}.{name}", to, name);
            PutDuration(reader, $"{from}.timeout", to, "timeout");
            PutDuration(reader, $"{from}.backoff", to, "backoff");
            PutNumber(reader, $"{from}.threshold", to, "threshold");
            var ignored = new ConfigList(to.Origin);
            ignored.Items.AddRange(reader.Items($"{from}.ignoredmediatypes").Concat(reader.Items($"{from}.ignore.mediatypes")));
            if (ignored.Items.Count > 0)
                to.Set("ignoredMediaTypes", ignored);
            CopyInto(reader, $"{from}.ignore.actions", to, "ignoredActions");
        }
    }

    private static void MapHealth(DockerRegistryReader reader)
    {
        const string storage = "health.storagedriver";
        reader.Put("health.storageEnabled", reader.Switch($"{storage}.enabled", missing: false), reader.Origin($"{storage}.enabled"));
        reader.Put("health.storageInterval", reader.Duration($"{storage}.interval", TimeSpan.FromSeconds(10)), reader.Origin($"{storage}.interval"));
        reader.Put("health.storageThreshold", Math.Max(1, reader.Number($"{storage}.threshold", 1)), reader.Origin($"{storage}.threshold"));
        MapChecks(reader, "health.file", "health.files", ("file", "file"));
        MapChecks(reader, "health.http", "health.http", ("uri", "uri"), ("headers", "headers"));
        MapChecks(reader, "health.tcp", "health.tcp", ("addr", "addr"));
    }

    private static void MapChecks(DockerRegistryReader reader, string from, string to, params (string From, string To)[] copied)
    {
        for (var i = 0; i < reader.Items(from).Count; i++)
        {
            var check = NewItem(reader, to, reader.Origin($"{from}[{i}]"));
            foreach (var (key, target) in copied)
                CopyInto(reader, $"{from}[{i}].{key}", check, target);
            PutDuration(reader, $"{from}[{i}].interval", check, "interval");
            PutNumber(reader, $"{from}[{i}].threshold", check, "threshold");
            if (from != "health.file")
                PutDuration(reader, $"{from}[{i}].timeout", check, "timeout");
            if (from == "health.http")
                PutNumber(reader, $"{from}[{i}].statuscode", check, "statusCode");
        }
    }

    private static void MapValidation(DockerRegistryReader reader)
    {
        const string urls = "validation.manifests.urls";
        var disabled = reader.Switch("validation.disabled", missing: false) && !reader.Switch("validation.enabled", missing: false);
        if (disabled)
        {
            reader.Put("registry.indexPlatforms", "none", reader.Origin("validation.disabled"));
            return;
        }
        reader.Copy($"{urls}.allow", "registry.manifestUrlAllow");
        reader.Copy($"{urls}.deny", "registry.manifestUrlDeny");
        if (reader.Items($"{urls}.allow").Count == 0 && reader.Items($"{urls}.deny").Count == 0)
            reader.Put("registry.manifestUrlAllow", "^$", DockerRegistryReader.Default);
        const string indexes = "validation.manifests.indexes";
        var platforms = new ConfigList(reader.Origin($"{indexes}.platformlist"));
        for (var i = 0; i < reader.Items($"{indexes}.platformlist").Count; i++)
        {
            var key = $"{indexes}.platformlist[{i}]";
            platforms.Items.Add(new ConfigScalar($"{reader.Text($"{key}.os")}/{reader.Text($"{key}.architecture")}", reader.Origin(key)));
        }
        if (platforms.Items.Count > 0)
            reader.Target.SetPath("registry.indexPlatformList", platforms);
        if (reader.Text($"{indexes}.platforms") is not { Length: > 0 } which)
            return;
        if (which.ToLowerInvariant() is not ("all" or "none" or "list"))
            reader.Problems.Add($"{indexes}.platforms", reader.Origin($"{indexes}.platforms"), $"\"{which}\" must be all, none or list");
        else // A list of nothing checks every child there.
            reader.Put("registry.indexPlatforms", string.Equals(which, "list", StringComparison.OrdinalIgnoreCase) && platforms.Items.Count == 0 ? "all" : which, reader.Origin($"{indexes}.platforms"));
    }

    private static ConfigMap NewItem(DockerRegistryReader reader, string target, ConfigOrigin origin)
    {
        if (reader.Target.Find(target) is not ConfigList list)
            reader.Target.SetPath(target, list = new ConfigList(origin));
        var item = new ConfigMap(origin);
        list.Items.Add(item);
        return item;
    }

    private static void CopyInto(DockerRegistryReader reader, string key, ConfigMap item, string name)
    {
        if (reader.Node(key) is { } node)
            item.Set(name, node.Copy());
    }

    // Zero and nothing mean Berth's default, which is Docker Registry's.
    private static void PutDuration(DockerRegistryReader reader, string key, ConfigMap item, string name)
    {
        var value = reader.Duration(key, TimeSpan.Zero);
        if (value > TimeSpan.Zero)
            item.Set(name, new ConfigScalar(ConfigText.Duration(value), reader.Origin(key)));
    }

    private static void PutNumber(DockerRegistryReader reader, string key, ConfigMap item, string name)
    {
        var value = reader.Number(key, 0);
        if (value > 0)
            item.Set(name, new ConfigScalar(value.ToString(System.Globalization.CultureInfo.InvariantCulture), reader.Origin(key)));
    }
}
