namespace Berth.Server.Backup;

/// <summary>A folder in the data folder for files on the way, removed with all that is in it.</summary>
internal sealed class ScratchFolder : IDisposable
{
    /// <summary>Makes one; only its owner may look into it.</summary>
    public ScratchFolder(string dataFolder)
    {
        Path = System.IO.Path.Join(dataFolder, "backup-" + System.IO.Path.GetRandomFileName());
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(Path);
        else Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
