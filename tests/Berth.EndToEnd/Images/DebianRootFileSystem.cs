using Berth.EndToEnd.Harness;

namespace Berth.EndToEnd.Images;

/// <summary>A real Debian root file system, made by debootstrap from the machine's own package source.</summary>
public static class DebianRootFileSystem
{
    private const string Suite = "bookworm";
    private const string CacheName = "debian-bookworm-minbase.tar";

    /// <summary>A tar archive of Debian's minimal variant; made once and kept for later runs.</summary>
    public static async Task<string> Archive(ClientShell shell)
    {
        Programs.RequireRoot();
        if (CachedFile.PathOf(CacheName) is { } cached && File.Exists(cached))
        {
            return cached;
        }

        var source = await shell.Run("apt-get", "indextargets", "--format", "$(CODENAME) $(COMPONENT) $(REPO_URI)", "Identifier: Packages");
        var mirror = source.Lines.Select(line => line.Split(' ')).FirstOrDefault(words => words is [Suite, "main", _])?[2];
        if (mirror is null)
        {
            Programs.Missing($"this machine has no package source for Debian {Suite}");
        }

        var root = shell.Folder.Folder("debian");
        await shell.Run("debootstrap", "--variant=minbase", Suite, root, mirror!);
        var archive = shell.Folder.File("debian.tar");
        await shell.Run("tar", "-C", root, "--numeric-owner", "--sort=name", "--exclude=./var/cache/apt/archives/*.deb", "-cf", archive, ".");
        return CachedFile.Keep(archive, CacheName, shell.Folder);
    }
}
