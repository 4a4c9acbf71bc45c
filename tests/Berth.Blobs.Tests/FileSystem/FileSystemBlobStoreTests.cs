using System.Buffers;
using Berth.Blobs.FileSystem;
using Berth.Oci;

namespace Berth.Blobs.Tests.FileSystem;

public sealed class FileSystemBlobStoreTests : BlobStoreContract, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("berth-test-").FullName;
    private readonly FileSystemBlobStore _store;

    public FileSystemBlobStoreTests() => _store = new FileSystemBlobStore(_folder, 0, TimeProvider.System);

    protected override IBlobStore Store => _store;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Content_lies_where_Docker_Registry_looks_for_it()
    {
        var content = Bytes(100);
        foreach (var algorithm in new[] { DigestAlgorithm.Sha256, DigestAlgorithm.Sha512 })
        {
            var digest = Digest.Of(content, algorithm);
            await AppendAsync("up", 0, content);
            Assert.True(File.Exists(Path.Join(_folder, "berth/uploads/up")));
            await _store.CommitUploadAsync("up", digest, content.Length, CancellationToken.None);
            var hex = digest.Hex.ToString();
            Assert.Equal(content, await File.ReadAllBytesAsync(Path.Join(_folder, "docker/registry/v2/blobs", algorithm.Name, hex[..2], hex, "data")));
        }
    }

    [Fact]
    public async Task Content_is_found_by_another_store_on_the_same_folder()
    {
        var content = Bytes(100);
        await AppendAsync("up", 0, content);
        await AppendAsync("open", 0, content[..50]);
        await _store.CommitUploadAsync("up", Digest.Of(content), content.Length, CancellationToken.None);
        var other = new FileSystemBlobStore(_folder, 0, TimeProvider.System);
        Assert.Equal(content.Length, await other.GetSizeAsync(Digest.Of(content), CancellationToken.None));
        await using (var appender = await other.OpenUploadAsync("open", 50, CancellationToken.None)) await appender.AppendAsync(new ReadOnlySequence<byte>(content, 50, 50), CancellationToken.None);
        await other.CommitUploadAsync("open", Digest.Of(content), content.Length, CancellationToken.None);
        Assert.Equal(content, await ReadAsync(Digest.Of(content)));
    }

    [Fact]
    public async Task Bad_bytes_are_healed_by_the_next_push()
    {
        var content = Bytes(100);
        var digest = Digest.Of(content);
        await AppendAsync("up", 0, content);
        await _store.CommitUploadAsync("up", digest, content.Length, CancellationToken.None);
        await File.WriteAllTextAsync(_store.Paths.Content(digest), "bad");
        await AppendAsync("up", 0, content);
        await _store.CommitUploadAsync("up", digest, content.Length, CancellationToken.None);
        Assert.Equal(content, await ReadAsync(digest));
    }

    [Fact]
    public async Task A_disk_with_less_than_its_reserve_takes_no_bytes()
    {
        var store = new FileSystemBlobStore(_folder, long.MaxValue / 2, TimeProvider.System);
        Assert.Equal(0, store.FreeBytes);
        await using var appender = await store.OpenUploadAsync("up", 0, CancellationToken.None);
        await appender.AppendAsync(ReadOnlySequence<byte>.Empty, CancellationToken.None);
        await Assert.ThrowsAsync<StoreFullException>(async () => await appender.AppendAsync(new ReadOnlySequence<byte>([1]), CancellationToken.None));
        Assert.Equal(0, appender.Offset);
        await Assert.ThrowsAsync<StoreFullException>(async () => await store.WriteUploadAsync("whole", new byte[] { 1 }, CancellationToken.None));
        Assert.False(File.Exists(Path.Join(_folder, "berth/uploads/whole")));
    }

    [Fact]
    public async Task A_shard_that_was_removed_meanwhile_is_made_again()
    {
        var content = Bytes(100);
        await _store.WriteUploadAsync("one", content, CancellationToken.None);
        await _store.NameUploadAsync("one", Digest.Of(content), CancellationToken.None);
        Directory.Delete(_store.Paths.Shard(Digest.Of(content)), recursive: true);
        await _store.WriteUploadAsync("two", content, CancellationToken.None);
        await _store.NameUploadAsync("two", Digest.Of(content), CancellationToken.None);
        Assert.Equal(content, await ReadAsync(Digest.Of(content)));
    }

    [Fact]
    public async Task Space_that_runs_out_on_the_way_stops_the_upload()
    {
        // Half of what is free may be used, and more than there is comes at once.
        var free = new DriveInfo(_folder).AvailableFreeSpace;
        var store = new FileSystemBlobStore(_folder, free / 2, TimeProvider.System);
        Assert.NotEqual(0, store.FreeBytes);
        await using var appender = await store.OpenUploadAsync("up", 0, CancellationToken.None);
        var piece = new ReadOnlySequence<byte>(new byte[1 << 20]);
        await appender.AppendAsync(piece, CancellationToken.None);
        Assert.Equal(1 << 20, appender.Offset);
        var huge = new Repeated(new byte[16 << 20], (int)(free >> 24) + 1).Sequence;
        await Assert.ThrowsAsync<StoreFullException>(async () =>
        {
            // The space is asked for each few megabytes, before they are written.
            for (var i = 0; i < 8; i++) await appender.AppendAsync(i < 7 ? piece : huge, CancellationToken.None);
        });
        Assert.True(appender.Offset <= 8 << 20);
    }

    [Fact]
    public async Task A_broken_store_fails_its_probe()
    {
        Directory.Delete(Path.Join(_folder, "berth"), recursive: true);
        await Assert.ThrowsAnyAsync<IOException>(async () => await _store.ProbeAsync(CancellationToken.None));
        Directory.CreateDirectory(Path.Join(_folder, "berth"));
    }

    /// <summary>The same bytes many times over, without the memory.</summary>
    private sealed class Repeated : ReadOnlySequenceSegment<byte>
    {
        public Repeated(byte[] piece, int times)
        {
            Memory = piece;
            var last = this;
            for (var i = 1; i < times; i++) last = new Repeated(piece, last);
            Sequence = new ReadOnlySequence<byte>(this, 0, last, piece.Length);
        }

        private Repeated(byte[] piece, Repeated before)
        {
            Memory = piece;
            RunningIndex = before.RunningIndex + piece.Length;
            before.Next = this;
        }

        public ReadOnlySequence<byte> Sequence { get; }
    }
}
