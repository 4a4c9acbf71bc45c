using System.Diagnostics;
using System.Globalization;
using System.Text;
using Berth.Bench.Content;
using Berth.Bench.Targets;
using Berth.Bench.Wire;
using Berth.Bench.Workloads;

namespace Berth.Bench.Garbage;

/// <summary>
/// What collecting costs those who use the registry meanwhile: images are pushed until there are enough, then others pull and push at a steady pace, first
/// undisturbed, then while a tenth of the images is deleted and collected. Needs a Berth whose <c>gc.delay</c> and <c>gc.interval</c> are seconds.
/// </summary>
internal sealed class GarbageRun(Target target, int images)
{
    private const int Repositories = 100;
    private const int Seeders = 8;
    private const int DeleteEvery = 10;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(20);

    private readonly Stored[] stored = new Stored[images];

    /// <summary>Runs it; a table of pulls before and during, and what the server says of its collection.</summary>
    internal string Run(TimeSpan quietFor)
    {
        var seedStart = Stopwatch.GetTimestamp();
        Seed();
        Say($"{images} images pushed in {Stopwatch.GetElapsedTime(seedStart).TotalSeconds:0} s");
        Await(figures => figures.Waiting == 0);
        Say("their reviews are done");
        var before = GarbageFigures.Read(target);

        using var load = new SteadyLoad(target, [.. stored.Where((_, i) => i % DeleteEvery != 0).Select(s => s.Path)]);
        load.Start();
        Thread.Sleep(TimeSpan.FromSeconds(5));
        load.Take();
        Thread.Sleep(quietFor);
        var quiet = load.Take();

        var began = Stopwatch.GetTimestamp();
        var (count, bytes) = Delete();
        Say($"{count} images deleted in {Stopwatch.GetElapsedTime(began).TotalSeconds:0} s; {bytes} bytes are to be freed");
        var deleting = load.Take();
        var after = Await(figures => figures.FreedBytes >= before.FreedBytes + bytes);
        var collecting = load.Take();
        var took = Stopwatch.GetElapsedTime(began);
        load.Stop();
        return Report(quiet, deleting, collecting, before, after, count, bytes, took);
    }

    private static void Say(string line) => Console.Error.WriteLine("garbage: " + line);

    private void Seed()
    {
        var next = -1;
        Streams.Run(target, Seeders, (connection, _) =>
        {
            for (var i = Interlocked.Increment(ref next); i < images; i = Interlocked.Increment(ref next))
            {
                var image = SmallImage.Create();
                var repository = $"bench/garbage-{i % Repositories}";
                Uploads.PostPut(connection, target, repository, image.Layer);
                Uploads.PostPut(connection, target, repository, image.Config);
                Uploads.PutManifest(connection, repository, $"v{i}", image.Manifest);
                stored[i] = new Stored($"/v2/{repository}/manifests/{image.Manifest.Digest}", image.Layer.Bytes.Length + image.Config.Bytes.Length);
                if (i % 10_000 == 9_999) Say($"{i + 1} images pushed");
            }
        });
    }

    private (int Count, long Bytes) Delete()
    {
        using var connection = new HttpConnection(target);
        var (count, bytes) = (0, 0L);
        for (var i = 0; i < images; i += DeleteEvery, count++)
        {
            connection.Send("DELETE", stored[i].Path).Expect("DELETE " + stored[i].Path, 202);
            bytes += stored[i].Bytes;
        }
        return (count, bytes);
    }

    private GarbageFigures Await(Func<GarbageFigures, bool> isDone)
    {
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            var figures = GarbageFigures.Read(target);
            if (isDone(figures)) return figures;
            if (Stopwatch.GetElapsedTime(start) > Patience) throw new IOException($"after {Patience}: {figures}");
            Thread.Sleep(500);
        }
    }

    private static string Report(LoadFigures quiet, LoadFigures deleting, LoadFigures collecting, GarbageFigures before, GarbageFigures after, int count, long bytes, TimeSpan took)
    {
        var text = new StringBuilder("| While | pulls | failed | median ms | p95 ms | p99 ms | p99 to quiet | pushes | p99 of pushes ms |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|\n");
        foreach (var (name, figures) in new[] { ("quiet", quiet), ("deleting", deleting), ("collecting", collecting) })
            text.Append(CultureInfo.InvariantCulture, $"| {name} | {figures.Pulls.Length:N0} | {figures.Failures} | {figures.Pull(0.5):0.00} | {figures.Pull(0.95):0.00} | {figures.Pull(0.99):0.00} | {figures.Pull(0.99) / quiet.Pull(0.99):0.00} | {figures.Pushes.Length:N0} | {figures.Push(0.99):0.0} |\n");
        var reviews = after.Reviews - before.Reviews;
        text.Append(CultureInfo.InvariantCulture, $"\n{count:N0} images deleted and collected in {took.TotalSeconds:0} s (the delay included). ");
        text.Append(CultureInfo.InvariantCulture, $"Freed: {after.FreedBytes - before.FreedBytes:N0} of {bytes:N0} bytes. ");
        text.Append(CultureInfo.InvariantCulture, $"Reviews: {reviews:N0}, {(after.ReviewSeconds - before.ReviewSeconds) / reviews * 1000:0.000} ms each.\n");
        return text.ToString();
    }

    private readonly record struct Stored(string Path, long Bytes);
}

/// <summary>What a Berth's metrics say of its garbage collection.</summary>
internal sealed record GarbageFigures(double Waiting, double Reviews, double ReviewSeconds, double FreedBytes)
{
    internal static GarbageFigures Read(Target target)
    {
        using var connection = new HttpConnection(target);
        var lines = Encoding.UTF8.GetString(connection.Send("GET", "/metrics").Expect("GET /metrics", 200).Body).Split('\n');
        return new GarbageFigures(Sum(lines, "berth_gc_queue{"), Sum(lines, "berth_gc_reviews_total "), Sum(lines, "berth_gc_review_seconds_total "), Sum(lines, "berth_gc_freed_bytes_total "));
    }

    private static double Sum(string[] lines, string metric)
    {
        var values = lines.Where(line => line.StartsWith(metric, StringComparison.Ordinal)).Select(line => double.Parse(line.AsSpan(line.LastIndexOf(' ') + 1), CultureInfo.InvariantCulture)).ToArray();
        return values.Length > 0 ? values.Sum() : throw new IOException($"/metrics has no {metric}");
    }
}
