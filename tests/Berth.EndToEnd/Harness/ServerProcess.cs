using System.Diagnostics;

namespace Berth.EndToEnd.Harness;

/// <summary>A server that a test started. It ends when the test ends, also when the test run itself is killed: a guard shell watches the pipe.</summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private const string Guard = """
        exec 2>/dev/null
        log=$1; shift
        exec 3<&0
        "$@" 3<&- </dev/null >>"$log" 2>&1 & server=$!
        (read -r _ <&3; kill -TERM $server; sleep 10; kill -KILL $server) >/dev/null 2>&1 & guard=$!
        wait $server; code=$?
        kill $guard 2>/dev/null
        exit $code
        """;

    private const int LogTailChars = 2500;
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(20);
    private readonly Process shell;
    private readonly string logFile;

    private ServerProcess(Process shell, string logFile)
    {
        this.shell = shell;
        this.logFile = logFile;
    }

    /// <summary>Whether the server ended by itself or was stopped.</summary>
    public bool HasExited => shell.HasExited;

    /// <summary>Starts <paramref name="command"/> with its output in <paramref name="logFile"/>.</summary>
    public static ServerProcess Start(IReadOnlyList<string> command, string logFile, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true, UseShellExecute = false, WorkingDirectory = Path.GetDirectoryName(logFile) };
        foreach (var argument in (string[])["-c", Guard, "guard", logFile, .. command])
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return new ServerProcess(Process.Start(start) ?? throw new InvalidOperationException($"{command[0]} did not start"), logFile);
    }

    /// <summary>Waits until <paramref name="isReady"/> is true; fails with the server's log when it ends or takes too long.</summary>
    public async Task WaitUntil(Func<CancellationToken, Task<bool>> isReady, TimeSpan limit, string what, CancellationToken ct)
    {
        var watch = Stopwatch.StartNew();
        while (!await isReady(ct))
        {
            if (HasExited || watch.Elapsed > limit)
            {
                Assert.Fail($"{what} was not ready after {watch.Elapsed.TotalSeconds:F1} s{(HasExited ? " (it ended)" : "")}; its log:\n{LogTail()}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(25), TimeProvider.System, ct);
        }
    }

    /// <summary>The last part of what the server wrote.</summary>
    public string LogTail()
    {
        if (!File.Exists(logFile))
        {
            return "";
        }

        var text = File.ReadAllText(logFile);
        return text.Length <= LogTailChars ? text : text[^LogTailChars..];
    }

    /// <summary>Ends the server at once, as a crash does (SIGKILL to it and its children).</summary>
    public async Task Kill()
    {
        if (!shell.HasExited)
        {
            shell.Kill(entireProcessTree: true);
        }

        await shell.WaitForExitAsync(CancellationToken.None);
    }

    /// <summary>Asks the server to end (SIGTERM) and kills it when it does not.</summary>
    public async Task Stop()
    {
        if (!shell.HasExited)
        {
            shell.StandardInput.Close();
            using var limit = new CancellationTokenSource(StopTimeout);
            try
            {
                await shell.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                await Kill();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Stop();
        shell.Dispose();
    }
}
