using System.Diagnostics;
using System.Globalization;

namespace Berth.Bench.Targets;

/// <summary>
/// A store used by its own SDK, without a registry: a program that reads <c>put NAME FILE</c> and <c>get NAME</c> from its standard input, one a line, and answers
/// each with the seconds that it took and the bytes that went over. It says <c>ready</c> when its bucket is there.
/// </summary>
internal sealed class DirectProgram : IDisposable
{
    private readonly Process process;

    internal DirectProgram(string command)
    {
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add("exec " + command);
        process = Process.Start(start) ?? throw new IOException($"no process for: {command}");
        // From then on its bucket is there, which a registry wants to see at its start.
        if (process.StandardOutput.ReadLine() != "ready") throw new IOException($"not ready: {command}");
    }

    internal int ProcessId => process.Id;

    /// <summary>Uploads a file; seconds.</summary>
    internal double Put(string name, string path, long bytes) => Ask($"put {name} {path}", bytes);

    /// <summary>Downloads an object and drops it; seconds.</summary>
    internal double Get(string name, long bytes) => Ask($"get {name}", bytes);

    public void Dispose()
    {
        process.StandardInput.Close();
        if (!process.WaitForExit(Limits.StopMilliseconds)) process.Kill(entireProcessTree: true);
        process.Dispose();
    }

    private double Ask(string line, long bytes)
    {
        process.StandardInput.WriteLine(line);
        process.StandardInput.Flush();
        var answer = process.StandardOutput.ReadLine() ?? throw new IOException($"the direct program ended at: {line}");
        var words = answer.Split(' ');
        if (words.Length != 2 || !double.TryParse(words[0], CultureInfo.InvariantCulture, out var seconds) || words[1] != bytes.ToString(CultureInfo.InvariantCulture))
            throw new IOException($"{line}: {answer}");
        return seconds;
    }
}
