namespace Berth.EndToEnd.Harness;

/// <summary>The outside programs on this machine. A missing one skips the test with its name; in CI (variable <c>CI</c> set) it fails the test.</summary>
public static class Programs
{
    /// <summary>Whether nothing may be skipped.</summary>
    public static bool AllRequired => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI"));

    /// <summary>The full path of <paramref name="program"/>, a name looked up in PATH or a path; null when it is not installed.</summary>
    public static string? Find(string program)
    {
        if (program.Contains('/'))
        {
            return File.Exists(program) ? program : null;
        }

        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Concat(["/usr/local/bin", "/usr/sbin", "/sbin"]);
        return folders.Where(folder => folder.Length > 0).Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
    }

    /// <summary>The full path of <paramref name="program"/>; ends the test when it is missing.</summary>
    public static string Require(string program)
    {
        if (Find(program) is { } path)
        {
            return path;
        }

        Missing($"{program} is not installed: tests/tools/install-real-clients.sh installs the clients of tests/tools/clients.txt");
        return "";
    }

    /// <summary>Ends the test when the user may not mount, change owners or start container engines.</summary>
    public static void RequireRoot()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Missing("this test needs root: container engines mount and change owners");
        }
    }

    /// <summary>Ends the test as skipped, or as failed where nothing may be skipped.</summary>
    public static void Missing(string reason)
    {
        if (AllRequired)
        {
            Assert.Fail(reason);
        }

        Assert.Skip(reason);
    }
}
