using Berth.Scanner.Inventory.Analyzers;
using Berth.Scanner.Secrets;

namespace Berth.Scanner.Inventory.Layers;

/// <summary>
/// Reads a root file system or a project that lies in a directory, as if it were a layer of its own (without a diff id). Symbolic links are not followed, empty and special files are
/// not opened, nothing is written. Of a system (it has <c>etc</c>) the directories <c>proc</c>, <c>sys</c> and <c>dev</c> are left out, which the kernel fills.
/// </summary>
/// <param name="analyzers">What is looked for.</param>
/// <param name="limits">What it may cost.</param>
/// <param name="secrets">Looks for secrets in every file of text; null leaves them out.</param>
/// <param name="skips">Says of the path of a file or directory that nobody wants it; null for none.</param>
public sealed class RootFileSystem(AnalyzerSet analyzers, LayerLimits limits, SecretScanner? secrets = null, Func<string, bool>? skips = null)
{
    private const int MaxDepth = 256;

    private static readonly EnumerationOptions Options = new() { AttributesToSkip = 0, IgnoreInaccessible = true, RecurseSubdirectories = false, ReturnSpecialDirectories = false };

    /// <summary>Reads everything below <paramref name="directory"/>.</summary>
    public LayerInventory Read(string directory, CancellationToken ct)
    {
        var collector = new LayerCollector(analyzers, limits, secrets);
        var open = new Stack<(DirectoryInfo Directory, string Path, int Depth)>([(new DirectoryInfo(directory), "", 0)]);
        long size = 0;
        var entries = 0;
        var isSystem = Directory.Exists(Path.Combine(directory, "etc"));
        while (open.TryPop(out var next))
        {
            foreach (var one in Entries(next.Directory, next.Path, collector))
            {
                ct.ThrowIfCancellationRequested();
                if (++entries > limits.MaxEntries) throw new LayerRefusedException("root file system has too many entries");
                var path = next.Path.Length == 0 ? one.Name : next.Path + "/" + one.Name;
                if (skips?.Invoke(path) == true) continue;
                if (one is DirectoryInfo below)
                {
                    if (isSystem && path is ("proc" or "sys" or "dev")) continue;
                    if (next.Depth < MaxDepth) open.Push((below, path, next.Depth + 1));
                    else collector.Problem(path, "directories are nested too deeply");
                    continue;
                }
                size += ReadFile((FileInfo)one, path, collector, ct);
            }
        }
        return collector.ToInventory("", size, entries);
    }

    // What goes while a running system is read is no reason to give up.
    private static IReadOnlyList<FileSystemInfo> Entries(DirectoryInfo directory, string path, LayerCollector collector)
    {
        try
        {
            return [.. directory.EnumerateFileSystemInfos("*", Options).Where(one => !one.Attributes.HasFlag(FileAttributes.ReparsePoint)).OrderBy(one => one.Name, StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            collector.Problem(path, e.Message);
            return [];
        }
    }

    // Its size in bytes.
    private long ReadFile(FileInfo file, string path, LayerCollector collector, CancellationToken ct)
    {
        try
        {
            // A pipe would block whoever opens it; it has no size, like devices and the files of procfs.
            if (file.Length == 0) return 0;
            var wanted = analyzers.For(path);
            var limit = wanted.Count == 0 ? limits.MaxFileBytes : Math.Min(limits.MaxFileBytes, wanted.Max(analyzer => analyzer.MaxBytes));
            if (wanted.Count > 0 && file.Length > limit)
            {
                collector.Problem(path, $"file has {file.Length} bytes, up to {limit} are read");
                return file.Length;
            }
            using var content = FileContent.Open(file.FullName);
            if (wanted.Count == 0)
            {
                var head = new byte[AnalyzerSet.HeadBytes];
                wanted = AnalyzerSet.ByContent(head.AsSpan(0, content.ReadAt(0, head)));
            }
            if (!OperatingSystem.IsWindows() && (file.UnixFileMode & (UnixFileMode.SetUser | UnixFileMode.SetGroup)) != 0) collector.SetUid(path);
            foreach (var analyzer in wanted.Where(analyzer => content.Length <= analyzer.MaxBytes)) collector.Analyze(analyzer, path, content, ct);
            if (secrets?.Wants(path, content.Length) == true) collector.LookForSecrets(path, content);
            return file.Length;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            collector.Problem(path, e.Message);
            return 0;
        }
    }
}
