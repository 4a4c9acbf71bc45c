namespace Berth.EndToEnd.Harness;

/// <summary>Settings for podman and buildah that work without systemd, bridges and overlay mounts, with a storage inside the test's folder.</summary>
internal static class ContainerSettings
{
    public static void Write(TemporaryFolder folder, Dictionary<string, string> environment)
    {
        var containers = folder.File("home", ".config", "containers", "containers.conf");
        File.WriteAllText(containers, """
            [engine]
            cgroup_manager="cgroupfs"
            events_logger="file"
            runtime="runc"
            [engine.runtimes]
            runc=["/usr/sbin/runc","/usr/bin/runc"]
            [containers]
            default_ulimits=["nofile=1024:1024","nproc=1000:1000"]

            """);
        var storage = folder.File("home", ".config", "containers", "storage.conf");
        File.WriteAllText(storage, $"""
            [storage]
            driver="vfs"
            graphroot="{folder.Folder("storage")}"
            runroot="{folder.Folder("storage-run")}"

            """);
        environment["CONTAINERS_CONF"] = containers;
        environment["CONTAINERS_STORAGE_CONF"] = storage;
        environment["BUILDAH_ISOLATION"] = "chroot";
    }
}
