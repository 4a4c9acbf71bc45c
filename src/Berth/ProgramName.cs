namespace Berth;

/// <summary>The name this program was called by.</summary>
internal static class ProgramName
{
    /// <summary>
    /// The first word of the command line as the caller wrote it, so that a link named <c>registry</c> shows. .NET itself only tells the
    /// path of the assembly and, with links resolved, of the executable; where there is no <c>/proc</c> the latter must do.
    /// </summary>
    public static string Called()
    {
        const string commandLine = "/proc/self/cmdline";
        try
        {
            if (File.Exists(commandLine))
                return File.ReadAllText(commandLine).Split('\0')[0];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A locked-down /proc: the fallback below knows the program at least by its own name.
        }
        return Environment.ProcessPath ?? "berth";
    }
}
