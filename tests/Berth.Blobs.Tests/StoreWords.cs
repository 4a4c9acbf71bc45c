using System.Buffers;
using Berth.Oci;

namespace Berth.Blobs.Tests;

/// <summary>The words that the contract of blob stores is written in, and what each driver's tests must give.</summary>
public abstract class StoreWords
{
    protected static readonly CancellationToken None = CancellationToken.None;

    /// <summary>The store under test; empty when a test begins.</summary>
    protected abstract IBlobStore Store { get; }

    /// <summary>Size of a part where the store has parts: sizes around it are tried.</summary>
    protected virtual int PartBytes => 1 << 20;

    /// <summary>True where an upload can go on from a mark that is not its last.</summary>
    protected virtual bool GoesBackToOlderMarks => true;

    /// <summary>True where everything that an appender takes in is written at once, so that its present mark is saved without a save.</summary>
    protected virtual bool WritesAtOnce => !Store.IsObjectStore;

    /// <summary>Another store on the same data, as another replica has.</summary>
    protected abstract IBlobStore OtherReplica();

    /// <summary>Every file or object below the store's root, as it lies there, unfinished parts included.</summary>
    protected abstract Task<IReadOnlyCollection<string>> ListRawAsync();

    /// <summary>Writes a file or object below the store's root past the driver.</summary>
    protected abstract Task WriteRawAsync(string path, byte[] content);

    protected static byte[] Bytes(int length, int seed = 1)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    protected static UploadMark Start(string key) => new(key, 0, null);

    /// <summary>Appends where a mark stands and saves.</summary>
    protected Task<UploadMark> AppendAsync(UploadMark mark, byte[] content) => AppendAsync(Store, mark, content);

    protected static async Task<UploadMark> AppendAsync(IBlobStore store, UploadMark mark, byte[] content)
    {
        await using var appender = await store.OpenUploadAsync(mark, None);
        Assert.Equal(mark.Offset, appender.Offset);
        Assert.Equal(mark, appender.Saved);
        await appender.AppendAsync(new ReadOnlySequence<byte>(content), None);
        Assert.Equal(mark.Offset + content.Length, appender.Offset);
        var saved = await appender.SaveAsync(None);
        Assert.Equal(mark.Offset + content.Length, saved.Offset);
        Assert.Equal(saved, appender.Saved);
        return saved;
    }

    /// <summary>Commits what a mark has.</summary>
    protected Task<BlobPlace> CommitAsync(UploadMark mark, Digest digest) => CommitAsync(Store, mark, digest);

    protected static async Task<BlobPlace> CommitAsync(IBlobStore store, UploadMark mark, Digest digest)
    {
        await using var appender = await store.OpenUploadAsync(mark, None);
        await appender.CommitAsync(digest, None);
        return store.PlaceOf(mark.Key, digest);
    }

    /// <summary>Uploads without a save in between.</summary>
    protected async Task<BlobPlace> PushAsync(string key, byte[] content, DigestAlgorithm? algorithm = null)
    {
        var digest = Digest.Of(content, algorithm ?? DigestAlgorithm.Sha256);
        await using var appender = await Store.OpenUploadAsync(Start(key), None);
        await appender.AppendAsync(new ReadOnlySequence<byte>(content), None);
        await appender.CommitAsync(digest, None);
        return Store.PlaceOf(key, digest);
    }

    protected async Task<byte[]> ReadAsync(BlobPlace place) => await ReadAllAsync(await Store.OpenReadAsync(place, 0, None));

    protected static async Task<byte[]> ReadAllAsync(IBlobReader? reader)
    {
        Assert.NotNull(reader);
        using (reader)
        {
            var bytes = new byte[reader.Length];
            await FillAsync(reader, bytes, 0);
            return bytes;
        }
    }

    protected static async Task FillAsync(IBlobReader reader, Memory<byte> buffer, long offset)
    {
        for (var read = 0; read < buffer.Length;)
        {
            var n = await reader.ReadAsync(buffer[read..], offset + read, None);
            Assert.NotEqual(0, n);
            read += n;
        }
    }

    protected async Task<List<StoredContent>> ListContentAsync()
    {
        var all = new List<StoredContent>();
        await foreach (var content in Store.ListContentAsync(None)) all.Add(content);
        return all;
    }

    protected static ReadOnlySequence<byte> Segments(params ReadOnlyMemory<byte>[] parts)
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
