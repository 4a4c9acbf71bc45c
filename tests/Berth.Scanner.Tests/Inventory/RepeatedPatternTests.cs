using System.Diagnostics;
using Berth.Scanner.Inventory.Analyzers;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Tests.Inventory;

/// <summary>
/// Texts whose cost might grow with the square of their length: an analyzer may refuse them, and must not hang, overflow or take memory without measure. Changed real files are the
/// matter of <see cref="Fuzzing.FuzzTests"/>.
/// </summary>
public sealed class RepeatedPatternTests
{
    private const long MaxAllocatedBytes = 600L << 20;

    [Theory]
    [InlineData("package.json", "[", 1_000_000)]
    [InlineData("package-lock.json", "{\"packages\":", 500_000)]
    [InlineData("pnpm-lock.yaml", "- ", 1_000_000)]
    [InlineData("pnpm-lock.yaml", "---\n\n", 500_000)]
    [InlineData("pnpm-lock.yaml", "a: \"\n", 200_000)]
    [InlineData("pnpm-lock.yaml", "a: [\n", 200_000)]
    [InlineData("pubspec.lock", "a: {", 500_000)]
    [InlineData("Cargo.lock", "a=[", 500_000)]
    [InlineData("Cargo.lock", "[a.a]\n", 500_000)]
    [InlineData("Cargo.lock", "a.", 1_000_000)]
    [InlineData("pom.xml", "<project>", 300_000)]
    [InlineData("yarn.lock", "a@^1:\n  version \"1\"\n", 300_000)]
    [InlineData("requirements.txt", "a \\\n", 500_000)]
    [InlineData("var/lib/dpkg/status", "Package: a\n b\n", 500_000)]
    [InlineData("lib/apk/db/installed", "F:a\nR:b\n", 500_000)]
    [InlineData("x.dist-info/METADATA", "Name: a\n", 500_000)]
    [InlineData("Gemfile.lock", "GEM\n  specs:\n    a (1)\n", 300_000)]
    [InlineData("mix.lock", "  \"a\": {:hex, :a, \"1\",", 300_000)]
    public void A_pattern_repeated_without_end_is_answered_in_time(string path, string pattern, int times)
    {
        var bytes = new byte[pattern.Length * times];
        for (var i = 0; i < bytes.Length; i++) bytes[i] = (byte)pattern[i % pattern.Length];
        foreach (var analyzer in AnalyzerSet.All.For(path).Where(analyzer => bytes.Length <= analyzer.MaxBytes)) Run(analyzer, path, bytes, pattern);
    }

    private static void Run(FileAnalyzer analyzer, string path, byte[] bytes, string what)
    {
        var clock = Stopwatch.StartNew();
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            analyzer.Analyze(new FileContent(bytes), new FileReport(path, LayerLimits.Default, TestContext.Current.CancellationToken));
        }
        catch (Exception e) when (e is not (OutOfMemoryException or OperationCanceledException or NullReferenceException))
        {
            // Refused, as the walker expects.
        }
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"{analyzer.Name} took {clock.Elapsed} ({what})");
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < MaxAllocatedBytes, $"{analyzer.Name} took {GC.GetAllocatedBytesForCurrentThread() - before} bytes ({what})");
    }
}
