using System.Diagnostics;
using Berth.Scanner.Inventory.Analyzers;
using Berth.Scanner.Inventory.Layers;
using Berth.Scanner.Tests.Cases;

namespace Berth.Scanner.Tests.Inventory;

/// <summary>
/// Real files with bytes changed, cut, repeated and exchanged, given to each analyzer: it may refuse them, and must not hang, overflow or take memory without
/// measure. <c>BERTH_FUZZ_SECONDS</c> runs it longer, <c>BERTH_FUZZ_SEED</c> repeats a run.
/// </summary>
public sealed class AnalyzerFuzzTests
{
    private const long MaxAllocatedBytes = 600L << 20;
    private static readonly byte[][] Tokens = [.. new[] { "{", "}", "[", "]", "\"", "'", ":", ",", "\n", "\n  ", "- ", "? ", "#", "==", "@", "|", ">", "=", "\\", "\0", "((", "&a ", "*a", "<<", "%", "...", "---\n" }.Select(System.Text.Encoding.UTF8.GetBytes)];

    [Fact]
    public void Mutated_files_never_crash_hang_or_exhaust()
    {
        var seconds = int.TryParse(Environment.GetEnvironmentVariable("BERTH_FUZZ_SECONDS"), out var set) ? set : 4;
        var seed = int.TryParse(Environment.GetEnvironmentVariable("BERTH_FUZZ_SEED"), out var given) ? given : 6;
        var random = new Random(seed);
        var corpus = ScannerCase.All.Where(one => one.Kind != "vulnerabilities/layers").SelectMany(one => one.Files())
            .SelectMany(file => For(file.Path, file.Content).Select(analyzer => (analyzer, file.Path, file.Content))).ToList();
        Assert.True(corpus.Count > 300);
        var clock = Stopwatch.StartNew();
        var runs = 0;
        for (; clock.Elapsed < TimeSpan.FromSeconds(seconds); runs++)
        {
            var (analyzer, path, content) = corpus[runs < corpus.Count ? runs : random.Next(corpus.Count)];
            if (content.Length > 300_000 && random.Next(20) > 0) continue;
            var bytes = Mutate(content, corpus[random.Next(corpus.Count)].Content, random);
            Run(analyzer, path, bytes, $"seed {seed}, run {runs}");
        }
        Assert.True(runs > 100, $"only {runs} runs");
    }

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

    private static IReadOnlyList<FileAnalyzer> For(string path, byte[] content) =>
        AnalyzerSet.All.For(path) is { Count: > 0 } named ? named : AnalyzerSet.ByContent(content.AsSpan(0, Math.Min(4, content.Length)));

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

    private static byte[] Mutate(byte[] content, byte[] other, Random random)
    {
        var bytes = content.ToList();
        for (var n = random.Next(1, 6); n > 0 && bytes.Count > 0; n--)
        {
            var at = random.Next(bytes.Count);
            var length = Math.Min(random.Next(1, 200), bytes.Count - at);
            switch (random.Next(7))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes.RemoveRange(at, length); break;
                case 2: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
                case 3: bytes.InsertRange(at, Tokens[random.Next(Tokens.Length)]); break;
                case 4: bytes.RemoveRange(at, bytes.Count - at); break;
                case 5: for (var i = at; i < Math.Min(at + 4, bytes.Count); i++) bytes[i] = (byte)(random.Next(2) * 255); break;
                default: bytes.InsertRange(at, other.AsSpan(0, Math.Min(other.Length, 500)).ToArray()); break;
            }
        }
        return [.. bytes];
    }
}
