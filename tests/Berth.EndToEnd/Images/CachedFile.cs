using Berth.EndToEnd.Harness;

namespace Berth.EndToEnd.Images;

/// <summary>Files that are slow to make and do not depend on the code, kept between runs in a folder that only root writes to.</summary>
public static class CachedFile
{
    private const string Folder = "/var/cache/berth-tests";

    /// <summary>Where the file is kept; null for users who cannot write there.</summary>
    public static string? PathOf(string name) => Environment.IsPrivilegedProcess ? Path.Combine(Folder, name) : null;

    /// <summary>Copies <paramref name="file"/> to its place and returns that place; to <paramref name="otherwise"/> when there is no cache.</summary>
    public static string Keep(string file, string name, TemporaryFolder otherwise)
    {
        var target = PathOf(name) ?? otherwise.File("kept", name);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        // A name of its own until it is complete: a run that is cut off leaves no half file under the final name.
        var partial = $"{target}.{Environment.ProcessId}";
        File.Copy(file, partial, overwrite: true);
        File.Move(partial, target, overwrite: true);
        return target;
    }
}
