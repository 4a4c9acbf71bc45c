using System.Collections.Frozen;
using Berth.Scanner.Inventory.Analyzers;
using Berth.Scanner.Secrets;

namespace Berth.Scanner.Inventory.Layers;

/// <summary>Gathers the facts of one layer while its entries pass by, and holds them to the limits.</summary>
internal sealed class LayerCollector(AnalyzerSet analyzers, LayerLimits limits, SecretScanner? secrets)
{
    // Ends of names that programs have.
    private static readonly FrozenSet<string> ProgramEnds = FrozenSet.ToFrozenSet(["exe", "dll", "so", "bin", "elf", "run", "out", "app", "com", "node", "dylib"], StringComparer.OrdinalIgnoreCase);

    // What takes the place of a program is worth a note, and no reason to refuse a layer of a million small files.
    private const int MaxReplacedFiles = 300_000;

    private readonly Dictionary<string, List<FileInventory>> files = new(StringComparer.Ordinal);
    private readonly List<string> removed = [];
    private readonly List<string> opaque = [];
    private readonly List<string> replaced = [];
    private readonly List<OwnedFiles> owned = [];
    private readonly List<FileProblem> problems = [];
    private readonly List<(string Path, string Target)> links = [];
    private readonly List<(string Path, string Target)> programLinks = [];
    private readonly List<string> directories = [];
    private readonly List<string> setUid = [];
    private readonly List<SecretFinding> found = [];
    private int facts;
    private int replacedFiles;

    /// <summary>Hard links to files that no analyzer read under their own name.</summary>
    public ILookup<string, string> UnreadLinks =>
        links.Where(link => !files.ContainsKey(link.Path)).ToLookup(link => link.Target, link => link.Path, StringComparer.Ordinal);

    /// <summary>Takes a whiteout; false when the name is none (OCI image specification, layer.md, "Whiteouts").</summary>
    public bool TakeWhiteout(string path)
    {
        var name = ImagePath.Name(path);
        if (!name.StartsWith(".wh.", StringComparison.Ordinal)) return false;
        var directory = ImagePath.Directory(path);
        if (name == ".wh..wh..opq") Count(opaque, directory);
        // .wh..wh.plnk and its like are leftovers of aufs; .wh. and .wh... would name the directory itself.
        else if (!name.StartsWith(".wh..wh.", StringComparison.Ordinal) && name is not (".wh." or ".wh.." or ".wh..."))
            Count(removed, directory.Length == 0 ? name[4..] : directory + "/" + name[4..]);
        return true;
    }

    /// <summary>Notes that a path holds something now that no analyzer reads.</summary>
    public void Replace(string path) => Count(replaced, path);

    /// <summary>The same for a plain file whose name, or right to be run, says that a program may have been there.</summary>
    public void ReplaceByFile(string path, bool isExecutable)
    {
        var name = ImagePath.Name(path).AsSpan();
        var end = name.LastIndexOf('.') is var dot and >= 0 ? name[(dot + 1)..] : "";
        var isTelling = isExecutable || end.IsEmpty || end.IndexOfAnyExceptInRange('0', '9') < 0 || ProgramEnds.GetAlternateLookup<ReadOnlySpan<char>>().Contains(end);
        if (isTelling && ++replacedFiles <= MaxReplacedFiles) replaced.Add(path);
    }

    /// <summary>Notes a directory, where a lower layer may have a file that matters.</summary>
    public void Directory(string path)
    {
        if (analyzers.For(path).Count > 0) Count(directories, path);
    }

    /// <summary>Notes a program that runs with the rights of its owner or group.</summary>
    public void SetUid(string path) => Count(setUid, path);

    /// <summary>Looks for secrets in a file.</summary>
    public void LookForSecrets(string path, FileContent content)
    {
        if (secrets is null) return;
        var here = secrets.Scan(path, content.Bytes(SecretScanner.MaxFileBytes).Span);
        facts += here.Count;
        if (facts > limits.MaxFacts) throw new LayerRefusedException("layer has too many facts");
        found.RemoveAll(other => other.Path == path);
        found.AddRange(here);
    }

    /// <summary>Notes another name of a file of this layer.</summary>
    public void Link(string path, string target)
    {
        Count(replaced, path);
        if (files.TryGetValue(target, out var found))
        {
            foreach (var file in found.Where(file => file.Analyzer == AnalyzerSet.Programs || analyzers.For(path).Any(one => one.Name == file.Analyzer)).ToList())
                Keep(file with { Path = path, Packages = [.. file.Packages.Select(package => package with { Path = path + package.Path[target.Length..] })] });
        }
        else if (analyzers.For(path).Count > 0 || AnalyzerSet.MayBeProgram(path))
        {
            if (++facts > limits.MaxFacts) throw new LayerRefusedException("layer has too many facts");
            (analyzers.For(path).Count > 0 ? links : programLinks).Add((path, target));
        }
    }

    /// <summary>Notes a file that cannot be read.</summary>
    public void Problem(string path, string reason)
    {
        if (++facts > limits.MaxFacts) throw new LayerRefusedException("layer has too many facts");
        problems.Add(new FileProblem(path, reason));
        // It still replaces what a lower layer had there.
        replaced.Add(path);
    }

    /// <summary>Lets one analyzer read a file. Broken content gives a problem and no package.</summary>
    public void Analyze(FileAnalyzer analyzer, string path, FileContent content, CancellationToken ct)
    {
        var report = new FileReport(path, limits, ct);
        try
        {
            analyzer.Analyze(content, report);
        }
        catch (Exception e) when (e is not (OperationCanceledException or OutOfMemoryException))
        {
            // Content is hostile: whatever a parser trips over is the file's fault, is noted, and the scan goes on.
            Problem(path, $"{analyzer.Name}: {e.Message}");
            return;
        }
        problems.AddRange(report.Skipped);
        facts += report.Skipped.Count;
        foreach (var (package, paths) in report.Owned)
        {
            var interesting = paths.Where(analyzers.MayHoldPackages).ToList();
            facts += interesting.Count;
            if (interesting.Count > 0) owned.Add(new OwnedFiles(package, interesting));
        }
        if (analyzer.Role != FileRole.Ownership) Keep(report.ToInventory(analyzer));
    }

    /// <summary>The layer's inventory.</summary>
    public LayerInventory ToInventory(string diffId, long sizeBytes, int entries) => new()
    {
        DiffId = diffId,
        SizeBytes = sizeBytes,
        Entries = entries,
        Files = [.. files.Values.SelectMany(list => list).OrderBy(file => file.Path, StringComparer.Ordinal).ThenBy(file => file.Analyzer, StringComparer.Ordinal)],
        Removed = removed,
        OpaqueDirectories = opaque,
        Replaced = [.. replaced.Where(path => !files.ContainsKey(path)).Distinct(StringComparer.Ordinal)],
        Directories = [.. directories.Distinct(StringComparer.Ordinal)],
        Links = [.. links.Concat(programLinks).Where(link => !files.ContainsKey(link.Path)).DistinctBy(link => link.Path).Select(link => new LayerLink(link.Path, link.Target))],
        Owned = [.. owned.Select(files => files with { Paths = [.. files.Paths.Where(IsWorthKeeping)] }).Where(files => files.Paths.Count > 0)],
        SetUid = [.. setUid.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
        SecretRules = secrets?.Id ?? "",
        Secrets = found,
        Problems = problems,
    };

    // A name alone tells most analyzers; programs are known by content, so their owners are kept only where this layer holds the program.
    private bool IsWorthKeeping(string path) => analyzers.For(path).Any(one => one.Role == FileRole.Installed) || files.ContainsKey(path);

    private void Keep(FileInventory file)
    {
        facts += 1 + file.Packages.Count;
        if (facts > limits.MaxFacts) throw new LayerRefusedException("layer has too many facts");
        if (!files.TryGetValue(file.Path, out var list)) files[file.Path] = list = [];
        // An archive may name a path twice; the later entry counts.
        list.RemoveAll(other => other.Analyzer == file.Analyzer);
        list.Add(file);
    }

    private void Count(List<string> list, string path)
    {
        if (++facts > limits.MaxFacts) throw new LayerRefusedException("layer has too many facts");
        list.Add(path);
    }
}
