using Berth.Bench.Content;
using Berth.Bench.Targets;
using Berth.Bench.Wire;

namespace Berth.Bench.Workloads;

/// <summary>One new large blob a stream by POST, PATCH, PUT, timed to the last 201. One of them is read back after each round.</summary>
internal sealed class LargePushes(string name, string title, LargeContentSource large, int streams) : Workload(name, title, Unit.MegabytesPerSecond)
{
    private LargeBlob[] blobs = [];

    internal override bool LeavesBytes => true;

    /// <summary>Three rounds and the warm-up of four streams leave 17 GB in each registry.</summary>
    internal override int MaxRounds => 3;

    internal override void Arrange(Target target, TimeSpan duration) => blobs = [.. Enumerable.Range(0, streams).Select(_ => large.Content.Next())];

    internal override Measurement Round(Target target, TimeSpan duration)
    {
        if (target.Direct is { } direct)
            return new Measurement(large.SizeBytes / 1e6 / direct.Put(blobs[0].Digest["sha256:".Length..], large.Content.Path, large.SizeBytes), 1);
        var elapsed = Streams.Run(target, streams, (connection, i) =>
            Uploads.PostPatchPut(connection, target, Repository(i), large.Content, blobs[i]));
        return new Measurement(streams * (large.SizeBytes / 1e6) / elapsed.TotalSeconds, streams);
    }

    internal override void Check(Target target)
    {
        if (target.Direct is not null) return;
        using var connection = new HttpConnection(target);
        for (var i = 0; i < streams; i++)
        {
            var answer = connection.Send("HEAD", Path(i)).Expect("HEAD " + Path(i), 200);
            if (answer.ContentLength != large.SizeBytes) throw new IOException($"{target.Name}: {Path(i)} has {answer.ContentLength} bytes");
        }

        Uploads.ReadBack(connection, target, Path(streams - 1), large.SizeBytes, blobs[^1].Digest);
    }

    private static string Repository(int stream) => $"bench/large-{stream}";

    private string Path(int stream) => $"/v2/{Repository(stream)}/blobs/{blobs[stream].Digest}";
}
