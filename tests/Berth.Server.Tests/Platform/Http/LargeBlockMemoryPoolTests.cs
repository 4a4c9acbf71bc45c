using System.Buffers;
using Berth.Server.Platform.Http;

namespace Berth.Server.Tests.Platform.Http;

public sealed class LargeBlockMemoryPoolTests
{
    [Fact]
    public void A_block_is_lent_to_one_at_a_time_even_when_it_comes_back_twice()
    {
        using var pool = new LargeBlockMemoryPool();
        var first = pool.Rent();
        first.Dispose();
        first.Dispose();
        using var second = pool.Rent();
        using var third = pool.Rent();
        Assert.False(second.Memory.Span.Overlaps(third.Memory.Span));
    }

    [Fact]
    public void No_more_than_the_bound_is_kept()
    {
        using var pool = new LargeBlockMemoryPool(blockBytes: 4096, keepBytes: 64 * 1024);
        var blocks = Enumerable.Range(0, 100).Select(_ => pool.Rent()).ToArray();
        Assert.Equal(100 * 4096, pool.AllocatedBytes);
        foreach (var block in blocks) block.Dispose();
        Assert.InRange(pool.IdleBytes, 4096, 64 * 1024);
        Assert.Equal(pool.IdleBytes, pool.AllocatedBytes);
    }

    [Fact]
    public void A_block_has_its_size_and_larger_ones_are_refused()
    {
        using var pool = new LargeBlockMemoryPool();
        using var block = pool.Rent(100);
        Assert.Equal(pool.MaxBufferSize, block.Memory.Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Rent(pool.MaxBufferSize + 1));
    }

    [Fact]
    public void Blocks_of_many_threads_never_overlap()
    {
        using var pool = new LargeBlockMemoryPool(blockBytes: 4096, keepBytes: 32 * 4096);
        var wrong = 0;
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, worker =>
        {
            for (var round = 0; round < 2000; round++)
            {
                using IMemoryOwner<byte> a = pool.Rent(), b = pool.Rent();
                a.Memory.Span.Fill((byte)worker);
                b.Memory.Span.Fill((byte)(worker + 100));
                if (a.Memory.Span.ContainsAnyExcept((byte)worker)) Interlocked.Increment(ref wrong);
            }
        });
        Assert.Equal(0, wrong);
    }

    [Fact]
    public async Task Kestrel_receives_in_large_blocks()
    {
        var largest = 0L;
        await using var host = await ListeningHost.StartAsync(new HttpOptions { Urls = ["http://127.0.0.1:0"] }, async context =>
        {
            var reader = context.Request.BodyReader;
            while (true)
            {
                var read = await reader.ReadAsync(context.RequestAborted);
                foreach (var segment in read.Buffer) largest = Math.Max(largest, segment.Length);
                reader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted) break;
            }
        });
        using var client = new HttpClient();
        using var answer = await client.PutAsync(host.Addresses[0], new ByteArrayContent(new byte[16 * 1024 * 1024]), TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode);
        Assert.InRange(largest, 16 * 1024, LargeBlockMemoryPool.DefaultBlockBytes);
    }
}
