using System.Globalization;

namespace Berth.EndToEnd.Harness;

/// <summary>A folder below the temp folder that goes away with its owner, mounts of container engines inside it included.</summary>
public sealed class TemporaryFolder : IDisposable
{
    private const string Prefix = "berth-e2e-";

    public TemporaryFolder(string name) => FullPath = Directory.CreateTempSubdirectory($"{Prefix}{Environment.ProcessId}-{name}-").FullName;

    private TemporaryFolder(DirectoryInfo existing) => FullPath = existing.FullName;

    public string FullPath { get; }

    /// <summary>The path of <paramref name="parts"/> inside, its parent folders created.</summary>
    public string File(params string[] parts)
    {
        var path = Path.Combine([FullPath, .. parts]);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    /// <summary>A new or existing folder inside.</summary>
    public string Folder(params string[] parts) => Directory.CreateDirectory(Path.Combine([FullPath, .. parts])).FullName;

    /// <summary>Removes what test runs left that were killed before they could.</summary>
    public static void RemoveLeftovers()
    {
        foreach (var folder in new DirectoryInfo(Path.GetTempPath()).EnumerateDirectories(Prefix + "*"))
        {
            if (int.TryParse(folder.Name.Split('-')[2], CultureInfo.InvariantCulture, out var owner) && !Directory.Exists($"/proc/{owner}"))
            {
                using var leftover = new TemporaryFolder(folder);
            }
        }
    }

    public void Dispose()
    {
        // rm removes what container engines leave (read-only folders, other owners) and does not follow links.
        foreach (var mount in MountsInside().OrderByDescending(path => path.Length))
        {
            RunQuietly("umount", "-l", mount);
        }

        RunQuietly("rm", "-rf", "--one-file-system", FullPath);
    }

    private IEnumerable<string> MountsInside() => System.IO.File.Exists("/proc/self/mounts")
        ? System.IO.File.ReadAllLines("/proc/self/mounts").Select(line => line.Split(' ')[1]).Where(path => path.StartsWith(FullPath + "/", StringComparison.Ordinal))
        : [];

    private static void RunQuietly(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(program, arguments) { RedirectStandardError = true });
        process?.StandardError.ReadToEnd();
        process?.WaitForExit();
    }
}
