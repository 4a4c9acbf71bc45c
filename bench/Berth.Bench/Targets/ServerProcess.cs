using System.Diagnostics;
using System.Net.Sockets;
using Berth.Bench.Wire;

namespace Berth.Bench.Targets;

/// <summary>A server that the bench started, from the start of its process to its end.</summary>
internal sealed class ServerProcess
{
    private readonly Process process;
    private readonly long started;

    internal ServerProcess(string command)
    {
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add("exec " + command);
        started = Stopwatch.GetTimestamp();
        process = Process.Start(start) ?? throw new IOException($"no process for: {command}");
    }

    internal int Id => process.Id;

    /// <summary>Asks once a millisecond until <c>/v2/</c> answers 200; the time counts from the start of the process.</summary>
    internal TimeSpan AwaitReady(Target target)
    {
        while (!IsReady(target))
        {
            if (process.HasExited) throw new IOException($"{target.Name} ended with exit code {process.ExitCode} before it answered");
            if (Stopwatch.GetElapsedTime(started).TotalMilliseconds > Limits.StartMilliseconds)
                throw new IOException($"{target.Name} did not answer 200 on /v2/ in {Limits.StartMilliseconds / 1000} s");
            Thread.Sleep(1);
        }

        return Stopwatch.GetElapsedTime(started);
    }

    /// <summary>Asks the process to end (SIGTERM), and ends it by force when it takes too long.</summary>
    internal void Stop()
    {
        if (!process.HasExited) _ = Libc.Kill(process.Id, Libc.Terminate);
        if (!process.WaitForExit(Limits.StopMilliseconds))
        {
            Console.Error.WriteLine($"process {process.Id} did not end in {Limits.StopMilliseconds / 1000} s after SIGTERM: killed");
            process.Kill();
            process.WaitForExit();
        }

        process.Dispose();
    }

    private static bool IsReady(Target target)
    {
        try
        {
            using var connection = new HttpConnection(target);
            return connection.Send("GET", "/v2/").Status == 200;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false;
        }
    }
}
