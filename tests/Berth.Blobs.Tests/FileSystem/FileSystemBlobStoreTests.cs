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

    protected override IBlobStore OtherReplica() => new FileSystemBlobStore(_folder, 0, TimeProvider.System);

    protected override Task<IReadOnlyCollection<string>> ListRawAsync() =>
        Task.FromResult<IReadOnlyCollection<string>>([.. Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories)]);

    protected override async Task WriteRawAsync(string path, byte[] content)
    {
        var file = Path.Join(_folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllBytesAsync(file, content);
    }

    [Fact]
    public async Task Content_lies_where_Docker_Registry_looks_for_it()
    {
        var content = Bytes(100);
        foreach (var algorithm in new[] { DigestAlgorithm.Sha256, DigestAlgorithm.Sha512 })
        {
            var digest = Digest.Of(content, algorithm);
            var mark = await AppendAsync(Start("up"), content);
            Assert.True(File.Exists(Path.Join(_folder, "berth/uploads/up")));
            await CommitAsync(mark, digest);
            var hex = digest.Hex.ToString();
            Assert.Equal(content, await File.ReadAllBytesAsync(Path.Join(_folder, "docker/registry/v2/blobs", algorithm.Name, hex[..2], hex, "data")));
        }
    }

    [Fact]
    public async Task Two_processes_never_write_to_one_upload_at_a_time()
    {
        var content = Bytes(100);
        Task<IUploadAppender> second;
        await using (var first = await _store.OpenUploadAsync(Start("up"), None))
        {
            await first.AppendAsync(new ReadOnlySequence<byte>(content[..60]), None);
            second = OtherReplica().OpenUploadAsync(first.Saved, None).AsTask();
            await first.AppendAsync(new ReadOnlySequence<byte>(Bytes(5)), None);
            Assert.False(second.IsCompleted);
        }
        await using var appender = await second;
        await appender.AppendAsync(new ReadOnlySequence<byte>(content[60..]), None);
        await appender.CommitAsync(Digest.Of(content), None);
        Assert.Equal(content, await ReadAsync(_store.PlaceOf("up", Digest.Of(content))));
    }

    [Fact]
    public async Task Who_waited_while_an_upload_became_content_cannot_write_into_it()
    {
        var content = Bytes(100);
        Task<IUploadAppender> second;
        await using (var first = await _store.OpenUploadAsync(Start("up"), None))
        {
            await first.AppendAsync(new ReadOnlySequence<byte>(content), None);
            second = OtherReplica().OpenUploadAsync(Start("up"), None).AsTask();
            await first.CommitAsync(Digest.Of(content), None);
            Assert.False(second.IsCompleted);
        }
        await Assert.ThrowsAsync<UploadBytesMissingException>(() => second);
        Assert.Equal(content, await ReadAsync(_store.PlaceOf("up", Digest.Of(content))));
    }

    [Fact]
    public async Task Bad_bytes_are_healed_by_the_next_push()
    {
        var content = Bytes(100);
        var place = await PushAsync("up", content);
        await File.WriteAllTextAsync(_store.Paths.Content(place.Digest), "bad");
        await PushAsync("up", content);
        Assert.Equal(content, await ReadAsync(place));
    }

    [Fact]
    public async Task A_commit_of_another_size_than_was_hashed_is_refused()
    {
        await using var appender = await _store.OpenUploadAsync(Start("up"), None);
        await appender.AppendAsync(new ReadOnlySequence<byte>(Bytes(99)), None);
        // Somebody else writes into the same file, lock or not.
        using (var other = Posix.OpenReadWrite(Path.Join(_folder, "berth/uploads/up"), create: false)) RandomAccess.Write(other!, Bytes(100), 0);
        await Assert.ThrowsAsync<IOException>(async () => await appender.CommitAsync(Digest.Of(Bytes(99)), None));
        Assert.Null(await _store.GetSizeAsync(_store.PlaceOf("up", Digest.Of(Bytes(99))), None));
    }

    [Fact]
    public async Task A_file_that_is_too_short_has_missing_bytes()
    {
        await AppendAsync(Start("short"), [1, 2, 3]);
        await Assert.ThrowsAsync<UploadBytesMissingException>(async () => await _store.OpenUploadAsync(new UploadMark("short", 5, null), None));
    }

    [Fact]
    public async Task A_disk_with_less_than_its_reserve_takes_no_bytes()
    {
        var store = new FileSystemBlobStore(_folder, long.MaxValue / 2, TimeProvider.System);
        Assert.Equal(0, store.FreeBytes);
        await using var appender = await store.OpenUploadAsync(Start("up"), None);
        await appender.AppendAsync(ReadOnlySequence<byte>.Empty, None);
        await Assert.ThrowsAsync<StoreFullException>(async () => await appender.AppendAsync(new ReadOnlySequence<byte>([1]), None));
        Assert.Equal(0, appender.Offset);
        await Assert.ThrowsAsync<StoreFullException>(async () => await store.WriteUploadAsync("whole", new byte[] { 1 }, None));
        Assert.False(File.Exists(Path.Join(_folder, "berth/uploads/whole")));
    }

    [Fact]
    public async Task A_shard_that_was_removed_meanwhile_is_made_again()
    {
        var content = Bytes(100);
        await _store.WriteUploadAsync("one", content, None);
        await _store.NameUploadAsync("one", Digest.Of(content), None);
        Directory.Delete(_store.Paths.Shard(Digest.Of(content)), recursive: true);
        await _store.WriteUploadAsync("two", content, None);
        await _store.NameUploadAsync("two", Digest.Of(content), None);
        Assert.Equal(content, await ReadAsync(_store.PlaceOf("two", Digest.Of(content))));
    }

    [Fact]
    public async Task Space_that_runs_out_on_the_way_stops_the_upload()
    {
        // Half of what is free may be used, and more than there is comes at once.
        var free = new DriveInfo(_folder).AvailableFreeSpace;
        var store = new FileSystemBlobStore(_folder, free / 2, TimeProvider.System);
        Assert.NotEqual(0, store.FreeBytes);
        await using var appender = await store.OpenUploadAsync(Start("up"), None);
        var piece = new ReadOnlySequence<byte>(new byte[1 << 20]);
        await appender.AppendAsync(piece, None);
        Assert.Equal(1 << 20, appender.Offset);
        var huge = new Repeated(new byte[16 << 20], (int)(free >> 24) + 1).Sequence;
        await Assert.ThrowsAsync<StoreFullException>(async () =>
        {
            // The space is asked for each few megabytes, before they are written.
            for (var i = 0; i < 8; i++) await appender.AppendAsync(i < 7 ? piece : huge, None);
        });
        Assert.True(appender.Offset <= 8 << 20);
    }

    [Fact]
    public async Task A_broken_store_fails_its_probe()
    {
        Directory.Delete(Path.Join(_folder, "berth"), recursive: true);
        await Assert.ThrowsAnyAsync<IOException>(async () => await _store.ProbeAsync(None));
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
