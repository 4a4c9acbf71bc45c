using Berth.Bench.Wire;

namespace Berth.Bench.Workloads;

/// <summary>Sends each request of a list once, over all connections, and wants the same status for each.</summary>
internal sealed class RequestList(IReadOnlyList<byte[]> requests, int expectedStatus) : IRequestSource
{
    private int next;

    public ReadOnlyMemory<byte> Next(int connection, bool draining) =>
        next < requests.Count && !draining ? requests[next++] : ReadOnlyMemory<byte>.Empty;

    public void Received(int connection, in ResponseHead head)
    {
        if (head.Status != expectedStatus) throw new IOException($"status {head.Status}, expected {expectedStatus}");
    }
}
