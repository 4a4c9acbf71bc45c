using System.Buffers;
using Berth.Oci;

namespace Berth.Blobs.Tests;

/// <summary>What every blob store must do (<see cref="IBlobStore"/>). Each driver derives this class.</summary>
public abstract class BlobStoreContract
{
    private static readonly CancellationToken None = CancellationToken.None;

    protected abstract IBlobStore Store { get; }

    [Fact]
    public async Task Content_is_there_after_the_commit_and_not_before()
    {
        var content = Bytes(200_000);
        var digest = Digest.Of(content);
        await AppendAsync("up-1", 0, content);
        Assert.Null(await Store.OpenReadAsync(digest, None));
        Assert.Null(await Store.GetSizeAsync(digest, None));
        await Store.CommitUploadAsync("up-1", digest, content.Length, None);
        Assert.Equal(content, await ReadAsync(digest));
        Assert.Equal(content.Length, await Store.GetSizeAsync(digest, None));
        Assert.Null(await Store.OpenUploadReadAsync("up-1", None));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(70_000)]
    public async Task Any_size_and_either_algorithm_will_do(int size)
    {
        foreach (var algorithm in new[] { DigestAlgorithm.Sha256, DigestAlgorithm.Sha512 })
        {
            var content = Bytes(size);
            var digest = Digest.Of(content, algorithm);
            await AppendAsync("up", 0, content);
            await Store.CommitUploadAsync("up", digest, size, None);
            Assert.Equal(content, await ReadAsync(digest));
        }
    }

    [Fact]
    public async Task An_upload_grows_by_pieces_of_any_form()
    {
        var content = Bytes(10_000);
        await using (var appender = await Store.OpenUploadAsync("up", 0, None))
        {
            Assert.Equal(0, appender.Offset);
            await appender.AppendAsync(ReadOnlySequence<byte>.Empty, None);
            await appender.AppendAsync(new ReadOnlySequence<byte>(content, 0, 4000), None);
            await appender.AppendAsync(Segments(content.AsMemory(4000, 100), content.AsMemory(4100, 0), content.AsMemory(4100, 1900)), None);
            Assert.Equal(6000, appender.Offset);
        }
        await AppendAsync("up", 6000, content[6000..]);
        await Store.CommitUploadAsync("up", Digest.Of(content), content.Length, None);
        Assert.Equal(content, await ReadAsync(Digest.Of(content)));
    }

    [Fact]
    public async Task What_lies_behind_the_offset_is_cut_off()
    {
        var content = Bytes(5000);
        await AppendAsync("up", 0, [.. content[..2000], .. Bytes(1000, 9)]);
        await AppendAsync("up", 2000, content[2000..]);
        Assert.Equal(content, await ReadUploadAsync("up"));
        await AppendAsync("up", 0, [1, 2, 3]);
        Assert.Equal([1, 2, 3], await ReadUploadAsync("up"));
    }

    [Fact]
    public async Task Missing_bytes_are_an_error_of_their_own()
    {
        await Assert.ThrowsAsync<UploadBytesMissingException>(async () => await Store.OpenUploadAsync("none", 5, None));
        await AppendAsync("short", 0, [1, 2, 3]);
        await Assert.ThrowsAsync<UploadBytesMissingException>(async () => await Store.OpenUploadAsync("short", 5, None));
        await Assert.ThrowsAsync<UploadBytesMissingException>(async () => await Store.CommitUploadAsync("none", Digest.Of([7]), 1, None));
    }

    [Fact]
    public async Task A_commit_may_be_repeated_and_the_same_content_committed_twice()
    {
        var content = Bytes(3000);
        var digest = Digest.Of(content);
        await AppendAsync("a", 0, content);
        await Store.CommitUploadAsync("a", digest, content.Length, None);
        await Store.CommitUploadAsync("a", digest, content.Length, None);
        await AppendAsync("b", 0, content);
        using var open = await Store.OpenReadAsync(digest, None);
        await Store.CommitUploadAsync("b", digest, content.Length, None);
        Assert.Equal(content, await ReadAsync(digest));
        // A reader that was there before goes on.
        var buffer = new byte[3000];
        Assert.Equal(3000, await open!.ReadAsync(buffer, 0, None));
        Assert.Equal(content, buffer);
        // Content of another size than was promised is not taken for the one that was committed.
        await Assert.ThrowsAsync<UploadBytesMissingException>(async () => await Store.CommitUploadAsync("a", digest, 2999, None));
    }

    [Fact]
    public async Task A_commit_of_another_size_than_was_hashed_is_refused()
    {
        await AppendAsync("up", 0, Bytes(100));
        await Assert.ThrowsAsync<IOException>(async () => await Store.CommitUploadAsync("up", Digest.Of(Bytes(100)), 99, None));
        Assert.Null(await Store.GetSizeAsync(Digest.Of(Bytes(100)), None));
    }

    [Fact]
    public async Task Many_may_commit_the_same_content_at_once()
    {
        var content = Bytes(20_000);
        await Task.WhenAll(Enumerable.Range(0, 16).Select(async i =>
        {
            await AppendAsync($"up{i}", 0, content);
            await Store.CommitUploadAsync($"up{i}", Digest.Of(content), content.Length, None);
            Assert.Equal(content, await ReadAsync(Digest.Of(content)));
        }));
    }

    [Fact]
    public async Task Content_is_read_from_any_offset_by_many()
    {
        var content = Bytes(100_000);
        await AppendAsync("up", 0, content);
        await Store.CommitUploadAsync("up", Digest.Of(content), content.Length, None);
        using var reader = await Store.OpenReadAsync(Digest.Of(content), None);
        Assert.Equal(content.Length, reader!.Length);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
        {
            var buffer = new byte[5000];
            Assert.Equal(5000, await reader.ReadAsync(buffer, i * 5000, None));
            Assert.Equal(content[(i * 5000)..((i * 5000) + 5000)], buffer);
        }));
        Assert.Equal(10, await reader.ReadAsync(new byte[50], content.Length - 10, None));
        Assert.Equal(0, await reader.ReadAsync(new byte[50], content.Length, None));
    }

    [Fact]
    public async Task Deleting_is_for_good_and_may_be_repeated()
    {
        var content = Bytes(100);
        var digest = Digest.Of(content);
        await AppendAsync("up", 0, content);
        await Store.CommitUploadAsync("up", digest, content.Length, None);
        await Store.DeleteAsync(digest, None);
        await Store.DeleteAsync(digest, None);
        Assert.Null(await Store.OpenReadAsync(digest, None));
        await AppendAsync("up", 0, content);
        await Store.DeleteUploadAsync("up", None);
        await Store.DeleteUploadAsync("up", None);
        Assert.Null(await Store.OpenUploadReadAsync("up", None));
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("a\0b")]
    [InlineData("é")]
    public async Task A_key_that_is_none_is_refused(string key)
    {
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.OpenUploadAsync(key, 0, None));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.DeleteUploadAsync(key, None));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.WriteUploadAsync(key, Bytes(1), None));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.NameUploadAsync(key, Digest.Of(Bytes(1)), None));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(70_000)]
    public async Task Content_written_whole_is_there_once_it_is_named_and_not_before(int size)
    {
        foreach (var algorithm in new[] { DigestAlgorithm.Sha256, DigestAlgorithm.Sha512 })
        {
            var content = Bytes(size);
            var digest = Digest.Of(content, algorithm);
            await Store.WriteUploadAsync("whole", content, None);
            Assert.Null(await Store.OpenReadAsync(digest, None));
            Assert.Equal(content, await ReadUploadAsync("whole"));
            await Store.NameUploadAsync("whole", digest, None);
            Assert.Equal(content, await ReadAsync(digest));
            Assert.Null(await Store.OpenUploadReadAsync("whole", None));
        }
    }

    [Fact]
    public async Task Writing_whole_replaces_whatever_the_upload_had()
    {
        var content = Bytes(100, 2);
        await AppendAsync("whole", 0, Bytes(5000));
        await Store.WriteUploadAsync("whole", content, None);
        Assert.Equal(content, await ReadUploadAsync("whole"));
        // It is an upload like any other: it can grow, be committed, and be removed.
        await AppendAsync("whole", 100, [1]);
        await Store.WriteUploadAsync("whole", content, None);
        await Store.CommitUploadAsync("whole", Digest.Of(content), 100, None);
        Assert.Equal(content, await ReadAsync(Digest.Of(content)));
        await Store.WriteUploadAsync("whole", content, None);
        await Store.DeleteUploadAsync("whole", None);
        Assert.Null(await Store.OpenUploadReadAsync("whole", None));
    }

    [Fact]
    public async Task What_was_written_whole_and_never_named_is_listed_as_an_upload()
    {
        await Store.WriteUploadAsync("left-over", Bytes(10), None);
        var listed = new List<string>();
        await foreach (var key in Store.ListUploadsAsync(DateTimeOffset.MaxValue, None)) listed.Add(key);
        Assert.Equal(["left-over"], listed);
    }

    [Fact]
    public async Task Naming_what_is_not_there_is_an_error_of_its_own() =>
        await Assert.ThrowsAsync<UploadBytesMissingException>(async () => await Store.NameUploadAsync("none", Digest.Of([7]), None));

    [Fact]
    public async Task Many_may_name_the_same_content_at_once_and_again()
    {
        var content = Bytes(20_000);
        await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(async () =>
        {
            await Store.WriteUploadAsync($"whole{i}", content, None);
            await Store.NameUploadAsync($"whole{i}", Digest.Of(content), None);
            Assert.Equal(content, await ReadAsync(Digest.Of(content)));
        })));
    }

    [Fact]
    public async Task A_probe_of_a_store_in_order_passes() => await Store.ProbeAsync(None);

    protected static byte[] Bytes(int length, int seed = 1)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    protected async Task AppendAsync(string key, long offset, byte[] content)
    {
        await using var appender = await Store.OpenUploadAsync(key, offset, None);
        await appender.AppendAsync(new ReadOnlySequence<byte>(content), None);
        Assert.Equal(offset + content.Length, appender.Offset);
    }

    protected async Task<byte[]> ReadAsync(Digest digest) => await ReadAllAsync(await Store.OpenReadAsync(digest, None));

    private async Task<byte[]> ReadUploadAsync(string key) => await ReadAllAsync(await Store.OpenUploadReadAsync(key, None));

    private static async Task<byte[]> ReadAllAsync(IBlobReader? reader)
    {
        Assert.NotNull(reader);
        using (reader)
        {
            var bytes = new byte[reader.Length];
            for (var read = 0; read < bytes.Length;)
            {
                var n = await reader.ReadAsync(bytes.AsMemory(read), read, None);
                Assert.NotEqual(0, n);
                read += n;
            }
            return bytes;
        }
    }

    private static ReadOnlySequence<byte> Segments(params ReadOnlyMemory<byte>[] parts)
    {
        var first = new Segment(parts[0], null);
        var last = first;
        foreach (var part in parts[1..]) last = new Segment(part, last);
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? before)
        {
            Memory = memory;
            if (before is null) return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }
}
