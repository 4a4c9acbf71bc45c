using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Berth.Bench.Targets;
using Berth.Bench.Wire;

namespace Berth.Bench.Workloads;

/// <summary>Runs the same blocking work on several connections, one thread each, started together.</summary>
internal static class Streams
{
    /// <summary>Returns the time from the common start to the end of the last stream; throws the first failure of any of them.</summary>
    internal static TimeSpan Run(Target target, int streams, Action<HttpConnection, int> work)
    {
        var connections = Enumerable.Range(0, streams).Select(_ => new HttpConnection(target)).ToArray();
        var failures = new Exception?[streams];
        using var go = new ManualResetEventSlim();
        var threads = connections.Select((connection, i) => new Thread(() =>
        {
            try
            {
                go.Wait();
                work(connection, i);
            }
            catch (Exception e)
            {
                failures[i] = e;
            }
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        var start = Stopwatch.GetTimestamp();
        go.Set();
        foreach (var thread in threads) thread.Join();
        var elapsed = Stopwatch.GetElapsedTime(start);
        foreach (var connection in connections) connection.Dispose();
        if (Array.Find(failures, f => f is not null) is { } failure) ExceptionDispatchInfo.Throw(failure);
        return elapsed;
    }
}
