using Berth.Scanner.Inventory.Analyzers.Apk;
using Berth.Scanner.Inventory.Analyzers.DotNet;
using Berth.Scanner.Inventory.Analyzers.Dpkg;
using Berth.Scanner.Inventory.Analyzers.Go;
using Berth.Scanner.Inventory.Analyzers.Java;
using Berth.Scanner.Inventory.Analyzers.Npm;
using Berth.Scanner.Inventory.Analyzers.Other;
using Berth.Scanner.Inventory.Analyzers.Php;
using Berth.Scanner.Inventory.Analyzers.Programs;
using Berth.Scanner.Inventory.Analyzers.Python;
using Berth.Scanner.Inventory.Analyzers.Releases;
using Berth.Scanner.Inventory.Analyzers.Rpm;
using Berth.Scanner.Inventory.Analyzers.Ruby;
using Berth.Scanner.Inventory.Analyzers.Rust;
using Berth.Scanner.Inventory.Analyzers.Sboms;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers;

/// <summary>All analyzers: the table of contents of this folder.</summary>
public sealed class AnalyzerSet
{
    /// <summary>First bytes of a file that tell whether it is a program.</summary>
    internal const int HeadBytes = 4;

    /// <summary>Name of the analyzer of programs, which are known by content.</summary>
    internal const string Programs = "program";

    private static readonly FileAnalyzer[] ProgramAnalyzers = [ProgramPackages.Analyzer];
    private readonly IReadOnlyList<FileAnalyzer> byName;

    private AnalyzerSet(IReadOnlyList<FileAnalyzer> byName) => this.byName = byName;

    /// <summary>Everything that Berth reads.</summary>
    public static AnalyzerSet All { get; } = new(
    [
        .. ReleaseFiles.Analyzers,
        .. DpkgStatus.Analyzers,
        .. ApkInstalled.Analyzers,
        .. RpmDatabase.Analyzers,
        .. JavaArchives.Analyzers,
        .. NpmPackages.Analyzers,
        .. PythonPackages.Analyzers,
        .. DotNetPackages.Analyzers,
        .. GoModules.Analyzers,
        .. CargoLock.Analyzers,
        .. RubyPackages.Analyzers,
        .. PhpPackages.Analyzers,
        .. OtherLocks.Analyzers,
        .. EmbeddedSboms.Analyzers,
    ]);

    /// <summary>Analyzers that read the file of a path.</summary>
    internal IReadOnlyList<FileAnalyzer> For(string path)
    {
        List<FileAnalyzer>? wanted = null;
        foreach (var analyzer in byName)
            if (analyzer.Wants(path)) (wanted ??= []).Add(analyzer);
        return wanted ?? (IReadOnlyList<FileAnalyzer>)[];
    }

    /// <summary>Analyzers that read a file because of its first bytes.</summary>
    internal static IReadOnlyList<FileAnalyzer> ByContent(ReadOnlySpan<byte> head) => ProgramFile.IsProgram(head) ? ProgramAnalyzers : [];

    /// <summary>Whether a name without an end is one that programs have.</summary>
    internal static bool MayBeProgram(string path) => !ImagePath.Name(path).Contains('.');

    /// <summary>Whether a file of a system package may hold language packages: by its name, or because it looks like a program.</summary>
    internal bool MayHoldPackages(string path) => MayBeProgram(path) || For(path).Any(analyzer => analyzer.Role == FileRole.Installed);
}
