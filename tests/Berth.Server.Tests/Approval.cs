using System.Runtime.CompilerServices;

namespace Berth.Server.Tests;

/// <summary>
/// Compares text with a checked-in file, so that every change of a surface is a diff someone reads. With <c>BERTH_APPROVE=1</c> the file is
/// written instead; read the diff before committing it.
/// </summary>
internal static class Approval
{
    /// <summary>Fails unless <paramref name="actual"/> is the text of a file in the folder <c>Approved</c> beside the calling test project's sources.</summary>
    public static void Verify(string actual, string fileName, [CallerFilePath] string caller = "") =>
        VerifyFile(actual, Path.Combine(ProjectFolder(caller), "Approved", fileName));

    /// <summary>The same for a file anywhere in the repository, such as a page under <c>docs/</c>.</summary>
    public static void VerifyInRepository(string actual, string path, [CallerFilePath] string caller = "") =>
        VerifyFile(actual, Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(ProjectFolder(caller)))!, path));

    /// <summary>The same for one part of a file, between the lines <c>&lt;!-- begin NAME --&gt;</c> and <c>&lt;!-- end NAME --&gt;</c>.</summary>
    public static void VerifyPart(string actual, string path, string name, [CallerFilePath] string caller = "")
    {
        var file = Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(ProjectFolder(caller)))!, path);
        var (begin, end) = ($"<!-- begin {name} -->\n", $"<!-- end {name} -->");
        var whole = File.ReadAllText(file);
        var (from, to) = (whole.IndexOf(begin, StringComparison.Ordinal), whole.IndexOf(end, StringComparison.Ordinal));
        Assert.True(from >= 0 && to > from, $"{file} has no part {name}");
        VerifyFile(whole[..(from + begin.Length)] + Normal(actual) + whole[to..], file);
    }

    private static void VerifyFile(string actual, string file)
    {
        actual = Normal(actual);
        var approved = File.Exists(file) ? File.ReadAllText(file) : "";
        if (actual == approved)
            return;
        if (Environment.GetEnvironmentVariable("BERTH_APPROVE") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, actual);
            return;
        }
        Assert.Fail($"{file} differs; if the change is right, run the tests with BERTH_APPROVE=1 and commit the file\n{FirstDifference(approved, actual)}");
    }

    private static string Normal(string text) => text.ReplaceLineEndings("\n").TrimEnd('\n') + "\n";

    private static string FirstDifference(string approved, string actual)
    {
        var (old, now) = (approved.Split('\n'), actual.Split('\n'));
        var line = Enumerable.Range(0, Math.Max(old.Length, now.Length)).First(i => old.ElementAtOrDefault(i) != now.ElementAtOrDefault(i));
        return $"line {line + 1}\n- {old.ElementAtOrDefault(line)}\n+ {now.ElementAtOrDefault(line)}";
    }

    private static string ProjectFolder(string caller)
    {
        var folder = Path.GetDirectoryName(caller)!;
        while (Directory.GetFiles(folder, "*.csproj").Length == 0)
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException($"no project above {caller}");
        return folder;
    }
}
