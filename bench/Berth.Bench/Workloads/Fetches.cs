using Berth.Bench.Content;
using Berth.Bench.Targets;
using Berth.Bench.Wire;

namespace Berth.Bench.Workloads;

/// <summary>GET or HEAD of many small things over many connections; each connection goes through all of them, each from another start.</summary>
internal sealed class Fetches(string name, string title, Unit unit, string method, int connections, Func<Target, IReadOnlyList<Fetch>> seed)
    : Workload(name, title, unit)
{
    internal override void Prepare(Target target)
    {
        using var connection = new HttpConnection(target);
        foreach (var fetch in seed(target)) Uploads.ReadBack(connection, target, fetch.Path, fetch.SizeBytes, fetch.Digest);
    }

    internal override Measurement Round(Target target, TimeSpan duration)
    {
        using var loop = new ClosedLoop(target, connections);
        var result = loop.Run(new Cycle(target, method, seed(target), connections), duration);
        var amount = Unit == Unit.MegabytesPerSecond ? result.BodyBytes / 1e6 : result.Answers;
        return new Measurement(amount / result.Elapsed.TotalSeconds, result.Answers);
    }

    /// <summary>The rendered requests, and where each connection is in them.</summary>
    private sealed class Cycle : IRequestSource
    {
        private readonly byte[][] requests;
        private readonly long[] sizes;
        private readonly int[] position;

        internal Cycle(Target target, string method, IReadOnlyList<Fetch> fetches, int connections)
        {
            requests = [.. fetches.Select(f => RequestWriter.Render(target, method, f.Path, accept: f.Path.Contains("/manifests/", StringComparison.Ordinal) ? SmallImage.ManifestType : ""))];
            sizes = [.. fetches.Select(f => (long)f.SizeBytes)];
            position = [.. Enumerable.Range(0, connections).Select(c => c * fetches.Count / connections)];
        }

        public ReadOnlyMemory<byte> Next(int connection, bool draining)
        {
            if (draining) return default;
            var at = position[connection] + 1;
            position[connection] = at < requests.Length ? at : at = 0;
            return requests[at];
        }

        public void Received(int connection, in ResponseHead head)
        {
            if (head.Status != 200) throw new IOException($"status {head.Status}, expected 200");
            if (head.ContentLength != sizes[position[connection]])
                throw new IOException($"Content-Length {head.ContentLength}, expected {sizes[position[connection]]}");
        }
    }
}
