using Berth.Scanner.Inventory.Analyzers.Go;
using Berth.Scanner.Inventory.Analyzers.Rust;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Programs;

/// <summary>Programs that say what they were built from.</summary>
internal static class ProgramPackages
{
    /// <summary>The analyzer, asked for files that begin like a program whatever their name.</summary>
    public static FileAnalyzer Analyzer { get; } = new(AnalyzerSet.Programs, FileRole.Installed, _ => false, Read, long.MaxValue);

    private static void Read(FileContent content, FileReport report)
    {
        var program = new ProgramFile(content);
        if (program.Sections.Count == 0 && !program.Data.Any()) return;
        CargoAuditable.Read(content, program, report);
        GoBuildInfo.Read(content, program, report);
    }
}
