using System.Buffers;
using Berth.Blobs.Encryption;
using Berth.Blobs.Encryption.Keys;
using Berth.Blobs.FileSystem;
using Berth.Blobs.Tests.Encryption.Keys;
using Berth.Oci;

namespace Berth.Blobs.Tests.Encryption;

/// <summary>The form of encrypted objects: whatever way content came in, every range reads back; whatever is changed is noticed.</summary>
public sealed class SealedContentTests : IDisposable
{
    private const int Chunk = 64 << 10;
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly string _folder = Directory.CreateTempSubdirectory("berth-test-").FullName;
    private readonly DataKeys _keys = new(new MemoryDataKeyTable(), [new LocalMasterKey(EncryptedFileSystemTests.MasterKey)], TimeProvider.System);

    public void Dispose()
    {
        _keys.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Sizes_follow_from_sizes()
    {
        foreach (var plain in new long[] { 0, 1, Chunk - 1, Chunk, Chunk + 1, (3L * Chunk) - 1, 3L * Chunk, (3L * Chunk) + 1, 20L << 30 })
            Assert.Equal(plain, SealedSize.ToPlain(SealedSize.OfPlain(plain)));
        var possible = Enumerable.Range(0, (2 * Chunk) + 10).Select(n => SealedSize.OfPlain(n)).ToHashSet();
        for (var size = 0L; size < SealedSize.OfPlain((2 * Chunk) + 9); size++) Assert.Equal(possible.Contains(size), SealedSize.ToPlain(size) is not null);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task Any_cut_into_appends_saves_and_replicas_makes_the_same_content_in_any_range(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 12; round++)
        {
            var content = new byte[Size(random)];
            random.NextBytes(content);
            var mark = new UploadMark($"up-{round}", 0, null);
            while (mark.Offset < content.Length) mark = await AppendSomeAsync(mark, content, random);
            await using (var last = await Open().OpenUploadAsync(mark, None)) await last.CommitAsync(Digest.Of(content), None);
            var place = Open().PlaceOf(mark.Key, Digest.Of(content));
            Assert.Equal(content.Length, await Open().GetSizeAsync(place, None));
            await ReadRangesAsync(place, content, random);
        }
    }

    [Fact]
    public async Task Every_bit_of_an_object_counts()
    {
        var place = await WriteAsync("up", new byte[40]);
        var file = FileOf(place);
        var good = await File.ReadAllBytesAsync(file);
        for (var bit = 0; bit < good.Length * 8; bit++)
        {
            var bad = (byte[])good.Clone();
            bad[bit / 8] ^= (byte)(1 << (bit % 8));
            await File.WriteAllBytesAsync(file, bad);
            // A bit of the data key's id makes it a key that nobody has.
            if (bit / 8 is >= 16 and < 32) await Assert.ThrowsAsync<DataKeyMissingException>(() => ReadAsync(place));
            else await Assert.ThrowsAsync<DamagedContentException>(() => ReadAsync(place));
        }
        await File.WriteAllBytesAsync(file, good);
        Assert.Equal(new byte[40], await ReadAsync(place));
    }

    [Fact]
    public async Task A_changed_chunk_is_noticed_by_whoever_reads_it_and_the_others_are_readable()
    {
        var content = new byte[4 * Chunk];
        var place = await WriteAsync("up", content);
        var bytes = await File.ReadAllBytesAsync(FileOf(place));
        bytes[SealedSize.OffsetOf(2) + 500] ^= 1;
        await File.WriteAllBytesAsync(FileOf(place), bytes);
        using var reader = await Open().OpenReadAsync(place, 0, None);
        foreach (var chunk in new[] { 0, 1, 3 }) Assert.Equal(100, await reader!.ReadAsync(new byte[100], chunk * Chunk, None));
        await Assert.ThrowsAsync<DamagedContentException>(async () => await reader!.ReadAsync(new byte[100], (2 * Chunk) + 10, None));
        await Assert.ThrowsAsync<DamagedContentException>(async () => await reader!.ReadAsync(new byte[Chunk], 2 * Chunk, None));
    }

    [Fact]
    public async Task Chunks_can_be_neither_swapped_nor_dropped_nor_repeated_nor_added()
    {
        var place = await WriteAsync("up", new byte[(3 * Chunk) + 100]);
        var good = await File.ReadAllBytesAsync(FileOf(place));
        int[] at = [.. Enumerable.Range(0, 4).Select(i => (int)SealedSize.OffsetOf(i)), good.Length];
        byte[] Of(params int[] chunks) => [.. good[..at[0]], .. chunks.SelectMany(c => good[at[c]..at[c + 1]])];
        Assert.Equal(good, Of(0, 1, 2, 3));
        foreach (var chunks in new int[][] { [1, 0, 2, 3], [0, 2, 1, 3], [0, 1, 2], [0, 1, 3], [1, 2, 3], [0, 1, 2, 2, 3], [0, 0, 1, 2, 3], [0], [3] })
        {
            await File.WriteAllBytesAsync(FileOf(place), Of(chunks));
            await Assert.ThrowsAsync<DamagedContentException>(() => ReadAsync(place));
        }
        foreach (var length in new[] { 0, 10, 63, 64, 91, 92, at[1] - 1, at[3], at[3] + 28, good.Length - 1 })
        {
            await File.WriteAllBytesAsync(FileOf(place), good[..length]);
            await Assert.ThrowsAsync<DamagedContentException>(() => ReadAsync(place));
        }
        await File.WriteAllBytesAsync(FileOf(place), [.. good, 0]);
        await Assert.ThrowsAsync<DamagedContentException>(() => ReadAsync(place));
    }

    [Fact]
    public async Task Objects_do_not_open_in_each_others_places()
    {
        var a = await WriteAsync("a", [1, 2, 3]);
        var b = await WriteAsync("b", [4, 5, 6]);
        File.Move(FileOf(a), FileOf(a) + "-aside");
        File.Move(FileOf(b), FileOf(a));
        File.Move(FileOf(a) + "-aside", FileOf(b));
        await Assert.ThrowsAsync<DamagedContentException>(() => ReadAsync(a));
        await Assert.ThrowsAsync<DamagedContentException>(() => ReadAsync(b));
    }

    [Fact]
    public async Task Empty_content_vouches_for_being_empty()
    {
        var place = await WriteAsync("up", []);
        Assert.Empty(await ReadAsync(place));
        var bytes = await File.ReadAllBytesAsync(FileOf(place));
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(FileOf(place), bytes);
        await Assert.ThrowsAsync<DamagedContentException>(() => ReadAsync(place));
    }

    [Fact]
    public async Task A_state_that_was_changed_is_not_gone_on_from()
    {
        var store = Open();
        UploadMark mark;
        await using (var appender = await store.OpenUploadAsync(new UploadMark("up", 0, null), None))
        {
            await appender.AppendAsync(new ReadOnlySequence<byte>(new byte[Chunk + 50]), None);
            mark = await appender.SaveAsync(None);
        }
        foreach (var bad in new[] { mark with { Offset = Chunk + 49 }, mark with { Offset = 50 }, mark with { State = "e1:{}" }, mark with { State = "e1:" }, mark with { State = "other" }, mark with { Key = "up2" } })
            await Assert.ThrowsAsync<UploadBytesMissingException>(async () => await store.OpenUploadAsync(bad, None));
        await using var good = await store.OpenUploadAsync(mark, None);
        Assert.Equal(Chunk + 50, good.Offset);
    }

    private static int Size(Random random) => random.Next(5) switch
    {
        0 => random.Next(200),
        1 => (random.Next(1, 9) * Chunk) + random.Next(-1, 2),
        2 => Chunk,
        _ => random.Next(12 * Chunk),
    };

    private async Task<UploadMark> AppendSomeAsync(UploadMark mark, byte[] content, Random random)
    {
        await using var appender = await Open().OpenUploadAsync(mark, None);
        while (appender.Offset < content.Length && random.Next(6) != 0)
        {
            var most = random.Next(4) == 0 ? 3 * Chunk : random.Next(1, Chunk + 2);
            var bytes = Math.Min(random.Next(1, most + 1), content.Length - (int)appender.Offset);
            await appender.AppendAsync(new ReadOnlySequence<byte>(content, (int)appender.Offset, bytes), None);
        }
        Assert.Equal(mark, appender.Saved);
        var saved = await appender.SaveAsync(None);
        Assert.Equal(saved, appender.Saved);
        // What comes behind the last save is lost with the process.
        if (random.Next(3) == 0 && saved.Offset < content.Length) await appender.AppendAsync(new ReadOnlySequence<byte>(new byte[random.Next(1, 2 * Chunk)]), None);
        return saved;
    }

    private async Task ReadRangesAsync(BlobPlace place, byte[] content, Random random)
    {
        for (var i = 0; i < 8; i++)
        {
            var at = random.Next(content.Length + 1);
            using var reader = await Open().OpenReadAsync(place, at, None);
            Assert.Equal(content.Length, reader!.Length);
            // A few steps on from there with buffers of any size, then somewhere else.
            for (var step = 0; step < 6; step++)
            {
                var buffer = new byte[random.Next(3) == 0 ? random.Next(1, 9 * Chunk) : random.Next(1, 1000)];
                var n = await reader.ReadAsync(buffer, at, None);
                Assert.Equal(at < content.Length, n > 0);
                Assert.True(content.AsSpan(at, n).SequenceEqual(buffer.AsSpan(0, n)));
                at = random.Next(5) == 0 ? random.Next(content.Length + 1) : at + n;
            }
        }
    }

    private async Task<BlobPlace> WriteAsync(string key, byte[] content)
    {
        await Open().WriteUploadAsync(key, content, None);
        await Open().NameUploadAsync(key, Digest.Of(content), None);
        return Open().PlaceOf(key, Digest.Of(content));
    }

    private async Task<byte[]> ReadAsync(BlobPlace place)
    {
        using var reader = await Open().OpenReadAsync(place, 0, None);
        var bytes = new byte[reader!.Length];
        var read = 0;
        while (true)
        {
            var n = await reader.ReadAsync(bytes.AsMemory(read), read, None);
            // Empty content is read once, too.
            if (n == 0) return bytes;
            read += n;
            if (read == bytes.Length) return bytes;
        }
    }

    private string FileOf(BlobPlace place) => new ContentPaths(_folder).KeyedContent(place.Key!);

    // A store of its own each time: none knows a header from before.
    private EncryptedBlobStore Open() => new(new FileSystemBlobStore(_folder, 0, TimeProvider.System, byKey: true), _keys, encrypts: true);
}
