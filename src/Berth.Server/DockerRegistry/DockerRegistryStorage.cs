namespace Berth.Server.DockerRegistry;

/// <summary>Sections <c>storage</c>, <c>catalog</c> and <c>tags</c>.</summary>
internal static class DockerRegistryStorage
{
    private const int MinThreads = 25;

    public static void Map(DockerRegistryReader reader, IReadOnlyDictionary<string, string> environment)
    {
        if (DockerRegistryObjectStores.Of(reader) is { } driver)
        {
            DockerRegistryObjectStores.Map(reader, driver);
            reader.Put("dataFolder", Path.Combine(DockerRegistryFile.DefaultRootDirectory, "berth"), DockerRegistryReader.Default);
            WarnOfMetadataOnDisk(reader, driver, environment);
        }
        else
        {
            MapFolder(reader);
        }
        DockerRegistryMiddleware.Map(reader);
        reader.CopySwitch("storage.redirect.disable", "storage.redirect.enabled", opposite: true);
        reader.Put("registry.delete", reader.Switch("storage.delete.enabled", missing: false), reader.Origin("storage.delete.enabled"));
        reader.CopySwitch("storage.maintenance.readonly.enabled", "registry.readOnly");
        MapUploadPurging(reader);
        MapLists(reader);
    }

    private static void MapFolder(DockerRegistryReader reader)
    {
        const string rootKey = "storage.filesystem.rootdirectory";
        var root = reader.Text(rootKey) is { Length: > 0 } given ? given : DockerRegistryFile.DefaultRootDirectory;
        var origin = reader.Origin(rootKey);
        reader.Put("storage.root", root, origin);
        reader.Put("dataFolder", Path.Combine(root, "berth"), origin);
        if (reader.Has("storage.filesystem.maxthreads"))
            reader.Put("storage.maxThreads", Math.Max(MinThreads, reader.Number("storage.filesystem.maxthreads", MinThreads)), reader.Origin("storage.filesystem.maxthreads"));
    }

    // Docker Registry kept everything in the bucket; whoever runs it in a container often has no disk that stays.
    private static void WarnOfMetadataOnDisk(DockerRegistryReader reader, string driver, IReadOnlyDictionary<string, string> environment)
    {
        if (environment.Keys.Any(name => name.Equals("BERTH_DATAFOLDER", StringComparison.OrdinalIgnoreCase) || name.StartsWith("BERTH_DATABASE__", StringComparison.OrdinalIgnoreCase)))
            return;
        reader.Report.Warn($"storage.{driver}", reader.Origin($"storage.{driver}"),
            "blobs are in the object store, but tags and manifests are in the database berth.db in the data folder /var/lib/registry/berth: keep it on a disk that stays, or set BERTH_DATABASE__KIND=postgres and BERTH_DATABASE__CONNECTIONSTRING");
    }

    private static void MapUploadPurging(DockerRegistryReader reader)
    {
        const string purging = "storage.maintenance.uploadpurging";
        reader.Put("registry.uploadExpiry", reader.Duration($"{purging}.age", TimeSpan.FromHours(168)), reader.Origin($"{purging}.age"));
        var interval = reader.Duration($"{purging}.interval", TimeSpan.FromHours(24));
        if (reader.Switch($"{purging}.enabled", missing: true))
            reader.Put("registry.uploadJanitorInterval", interval, reader.Origin($"{purging}.interval"));
        else
            reader.Put("registry.uploadJanitorInterval", TimeSpan.Zero, reader.Origin($"{purging}.enabled"));
        reader.CopySwitch($"{purging}.dryrun", "registry.uploadJanitorDryRun");
    }

    private static void MapLists(DockerRegistryReader reader)
    {
        var catalog = reader.Number("catalog.maxentries", 0);
        if (catalog > 0)
        {
            reader.Put("registry.catalogMaxEntries", catalog, reader.Origin("catalog.maxentries"));
            if (catalog < 100)
                reader.Put("registry.catalogDefaultEntries", catalog, reader.Origin("catalog.maxentries"));
        }
        var tags = reader.Number("tags.maxtags", 0);
        if (tags < 0)
            reader.Problems.Add("tags.maxtags", reader.Origin("tags.maxtags"), "must not be negative");
        else if (tags > 0)
            reader.Put("registry.tagsMaxEntries", tags, reader.Origin("tags.maxtags"));
    }
}
