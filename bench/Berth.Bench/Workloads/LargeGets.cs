using System.Diagnostics;
using Berth.Bench.Content;
using Berth.Bench.Targets;
using Berth.Bench.Wire;

namespace Berth.Bench.Workloads;

/// <summary>GET of one large blob by one or more streams, over and over until the time is up; at least once each.</summary>
internal sealed class LargeGets(string name, string title, LargeContentSource large, int streams) : Workload(name, title, Unit.MegabytesPerSecond)
{
    private const string DirectName = "large";

    internal override void Prepare(Target target)
    {
        if (target.Direct is { } direct) direct.Put(DirectName, large.Content.Path, large.SizeBytes);
        else Seeding.LargeBlob(target, large.Content);
    }

    internal override Measurement Round(Target target, TimeSpan duration)
    {
        if (target.Direct is { } direct) return GetDirect(direct, duration);
        var request = RequestWriter.Render(target, "GET", Seeding.LargeBlob(target, large.Content));
        var gets = 0;
        var start = Stopwatch.GetTimestamp();
        var elapsed = Streams.Run(target, streams, (connection, _) =>
        {
            do
            {
                Libc.SendAll(connection.Fd, request);
                var head = connection.ReceiveHead();
                if (head.Status != 200 || head.ContentLength != large.SizeBytes)
                    throw new IOException($"{target.Name}: large blob: status {head.Status}, Content-Length {head.ContentLength}\n{head.Text}");
                connection.DropBody(large.SizeBytes);
                Interlocked.Increment(ref gets);
            }
            while (Stopwatch.GetElapsedTime(start) < duration);
        });
        return new Measurement(gets * (large.SizeBytes / 1e6) / elapsed.TotalSeconds, gets);
    }

    private Measurement GetDirect(DirectProgram direct, TimeSpan duration)
    {
        var (gets, seconds) = (0, 0.0);
        for (; seconds < duration.TotalSeconds; gets++) seconds += direct.Get(DirectName, large.SizeBytes);
        return new Measurement(gets * (large.SizeBytes / 1e6) / seconds, gets);
    }
}
