namespace Berth.Bench.Content;

/// <summary>The large random content, made when the first workload asks for it: it takes seconds and its size in memory.</summary>
internal sealed class LargeContentSource(long sizeBytes) : IDisposable
{
    private LargeContent? content;

    internal long SizeBytes { get; } = sizeBytes;

    internal LargeContent Content => content ??= new LargeContent(SizeBytes);

    public void Dispose() => content?.Dispose();
}
