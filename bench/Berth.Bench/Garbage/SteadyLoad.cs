using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Net.Sockets;
using Berth.Bench.Content;
using Berth.Bench.Targets;
using Berth.Bench.Wire;
using Berth.Bench.Workloads;

namespace Berth.Bench.Garbage;

/// <summary>
/// Clients that pull manifests and push images at a steady pace, whatever the server takes for each: a pull that begins late, since the one before it took
/// long, counts from when it should have begun.
/// </summary>
internal sealed class SteadyLoad(Target target, string[] paths) : IDisposable
{
    private const int Pullers = 4;
    private const int Pushers = 2;
    private static readonly TimeSpan PullEvery = TimeSpan.FromMilliseconds(8);
    private static readonly TimeSpan PushEvery = TimeSpan.FromMilliseconds(200);

    private readonly CancellationTokenSource stopped = new();
    private readonly List<Thread> threads = [];
    private readonly ConcurrentQueue<double> pulls = new();
    private readonly ConcurrentQueue<double> pushes = new();
    private int failures;

    /// <summary>500 pulls and 10 pushes a second.</summary>
    internal void Start()
    {
        for (var i = 0; i < Pullers; i++) Begin(PullEvery, pulls, Pull);
        for (var i = 0; i < Pushers; i++) Begin(PushEvery, pushes, Push);
    }

    /// <summary>What was measured since it was asked last.</summary>
    internal LoadFigures Take() => new(Drain(pulls), Drain(pushes), Interlocked.Exchange(ref failures, 0));

    internal void Stop()
    {
        stopped.Cancel();
        foreach (var thread in threads) thread.Join();
        threads.Clear();
    }

    public void Dispose()
    {
        Stop();
        stopped.Dispose();
    }

    private static double[] Drain(ConcurrentQueue<double> queue)
    {
        var taken = new List<double>();
        while (queue.TryDequeue(out var one)) taken.Add(one);
        taken.Sort();
        return [.. taken];
    }

    private void Begin(TimeSpan every, ConcurrentQueue<double> took, Action<HttpConnection> work)
    {
        var thread = new Thread(() => Loop(every, took, work), 256 * 1024);
        threads.Add(thread);
        thread.Start();
    }

    private void Loop(TimeSpan every, ConcurrentQueue<double> took, Action<HttpConnection> work)
    {
        var connection = new HttpConnection(target);
        var start = Stopwatch.GetTimestamp() + (long)(Random.Shared.NextDouble() * every.TotalSeconds * Stopwatch.Frequency);
        for (long n = 0; !stopped.IsCancellationRequested; n++)
        {
            var due = start + (long)(n * every.TotalSeconds * Stopwatch.Frequency);
            var wait = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
            if (wait > TimeSpan.Zero) Thread.Sleep(wait);
            // What the generator's own sleep took longer is not the server's time.
            var from = wait > TimeSpan.Zero ? Stopwatch.GetTimestamp() : due;
            try
            {
                work(connection);
                took.Enqueue(Stopwatch.GetElapsedTime(from).TotalMilliseconds);
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                if (Interlocked.Increment(ref failures) <= 3) Console.Error.WriteLine("garbage: failed: " + e.Message);
                connection.Dispose();
                connection = new HttpConnection(target);
            }
        }
        connection.Dispose();
    }

    private void Pull(HttpConnection connection)
    {
        var path = paths[RandomNumberGenerator.GetInt32(paths.Length)];
        connection.Send("GET", path, accept: SmallImage.ManifestType).Expect("GET " + path, 200);
    }

    private void Push(HttpConnection connection)
    {
        const string repository = "bench/steady";
        var image = SmallImage.Create();
        Uploads.PostPut(connection, target, repository, image.Layer);
        Uploads.PostPut(connection, target, repository, image.Config);
        Uploads.PutManifest(connection, repository, image.Manifest.Digest, image.Manifest);
    }
}

/// <summary>Times in milliseconds, sorted, and how many requests did not get the answer that they should.</summary>
internal sealed record LoadFigures(double[] Pulls, double[] Pushes, int Failures)
{
    internal double Pull(double share) => At(Pulls, share);

    internal double Push(double share) => At(Pushes, share);

    private static double At(double[] sorted, double share) => sorted.Length == 0 ? double.NaN : sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * share))];
}
