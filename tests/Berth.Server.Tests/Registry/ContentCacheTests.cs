using System.Runtime.CompilerServices;
using Berth.Oci;
using Berth.Server.Registry;

namespace Berth.Server.Tests.Registry;

public sealed class ContentCacheTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void A_fact_is_believed_for_ten_seconds_and_bytes_for_ever()
    {
        var (cache, content) = (new ContentCache(1 << 20, TimeSpan.FromSeconds(10), _time), Content(1, 100));
        cache.AddManifest("a", content);
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.Same(content, cache.FindManifest("a", content.Digest));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Null(cache.FindManifest("a", content.Digest));
        Assert.Same(content, cache.FindManifestBytes("a", content.Digest));
        Assert.Equal((2, 1), (cache.Hits, cache.Misses));
    }

    [Fact]
    public void Repositories_and_kinds_are_kept_apart()
    {
        var (cache, content) = (new ContentCache(1 << 20, TimeSpan.FromSeconds(10), _time), Content(1, 100));
        cache.AddManifest("a", content);
        Assert.Null(cache.FindManifest("b", content.Digest));
        Assert.Null(cache.FindBlob("a", content.Digest));
        cache.RemoveBlob("a", content.Digest);
        Assert.NotNull(cache.FindManifest("a", content.Digest));
        cache.RemoveManifest("a", content.Digest);
        Assert.Null(cache.FindManifest("a", content.Digest));
        Assert.Equal(0, cache.Bytes);
    }

    [Fact]
    public void What_is_used_outlives_what_is_not()
    {
        var cache = new ContentCache(100_000, TimeSpan.FromSeconds(10), _time);
        var all = Enumerable.Range(0, 12).Select(i => Content(i, 10_000)).ToArray();
        foreach (var content in all[..9]) cache.AddBlob("a", content);
        Assert.NotNull(cache.FindBlob("a", all[0].Digest));
        foreach (var content in all[9..]) cache.AddBlob("a", content);
        Assert.NotNull(cache.FindBlob("a", all[0].Digest));
        Assert.Null(cache.FindBlob("a", all[1].Digest));
        Assert.NotNull(cache.FindBlob("a", all[11].Digest));
        Assert.InRange(cache.Bytes, 1, 100_000);
    }

    [Fact]
    public void What_would_fill_the_cache_alone_is_not_kept()
    {
        var (cache, content) = (new ContentCache(100_000, TimeSpan.FromSeconds(10), _time), Content(1, 20_000));
        cache.AddBlob("a", content);
        Assert.Null(cache.FindBlob("a", content.Digest));
    }

    [Fact]
    public void A_fact_that_is_asked_again_and_again_takes_no_more_memory()
    {
        const long maxBytes = 8 << 20;
        var cache = new ContentCache(maxBytes, TimeSpan.FromSeconds(10), _time);
        var digest = Content(1, 1 << 20).Digest;
        var held = Enumerable.Range(0, 200).Select(_ => AddAgain(cache, digest)).ToArray();
        GC.Collect();
        Assert.InRange(cache.Bytes, 1, maxBytes);
        Assert.InRange(held.Count(h => h.IsAlive), 1, 12);
        GC.KeepAlive(cache);
    }

    [Fact]
    public async Task The_count_of_bytes_survives_a_crowd()
    {
        const long maxBytes = 200_000;
        var cache = new ContentCache(maxBytes, TimeSpan.FromSeconds(10), _time);
        var all = Enumerable.Range(0, 40).Select(i => Content(i, 8000)).ToArray();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(seed => Task.Run(() =>
        {
            var random = new Random(seed);
            for (var i = 0; i < 5000; i++)
            {
                var content = all[random.Next(all.Length)];
                switch (random.Next(3))
                {
                    case 0: cache.AddBlob("a", content); break;
                    case 1: cache.FindBlob("a", content.Digest); break;
                    default: cache.RemoveBlob("a", content.Digest); break;
                }
            }
        })));
        Assert.InRange(cache.Bytes, 0, maxBytes);
        foreach (var content in all) cache.RemoveBlob("a", content.Digest);
        Assert.Equal(0, cache.Bytes);
    }

    // On its own, so that no register keeps what the cache has let go.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference AddAgain(ContentCache cache, Digest digest)
    {
        var bytes = new byte[(1 << 20) - 1024];
        cache.AddBlob("a", new CachedContent(digest, "application/octet-stream", bytes.Length, bytes));
        return new WeakReference(bytes);
    }

    private static CachedContent Content(int seed, int size)
    {
        var bytes = RegistryTests.Bytes(size, seed);
        return new CachedContent(Digest.Of(bytes), "application/octet-stream", size, bytes);
    }
}
