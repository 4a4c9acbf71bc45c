using Berth.Blobs.FileSystem;
using Berth.Oci;

namespace Berth.Blobs.Tests.FileSystem;

/// <summary>The file system with content by the key of its upload, as encryption wants it.</summary>
public sealed class FileSystemByKeyTests : BlobStoreContract, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("berth-test-").FullName;
    private readonly FileSystemBlobStore _store;

    public FileSystemByKeyTests() => _store = new FileSystemBlobStore(_folder, 0, TimeProvider.System, byKey: true);

    protected override IBlobStore Store => _store;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    protected override IBlobStore OtherReplica() => new FileSystemBlobStore(_folder, 0, TimeProvider.System, byKey: true);

    protected override Task<IReadOnlyCollection<string>> ListRawAsync() =>
        Task.FromResult<IReadOnlyCollection<string>>([.. Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories)]);

    protected override async Task WriteRawAsync(string path, byte[] content)
    {
        var file = Path.Join(_folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllBytesAsync(file, content);
    }

    [Fact]
    public async Task Content_lies_by_the_end_of_its_key_and_is_read_by_a_store_that_writes_by_digest()
    {
        var content = Bytes(100);
        var place = await PushAsync("e1-0123abcd", content);
        Assert.Equal("e1-0123abcd", place.Key);
        Assert.Equal(content, await File.ReadAllBytesAsync(Path.Join(_folder, "berth/blobs/cd/e1-0123abcd")));
        var other = new FileSystemBlobStore(_folder, 0, TimeProvider.System);
        Assert.Null(other.PlaceOf("e1-0123abcd", Digest.Of(content)).Key);
        Assert.Equal(content, await ReadAllAsync(await other.OpenReadAsync(place, 0, None)));
        await other.DeleteAsync(place, None);
        Assert.Empty(await ListRawAsync());
    }

    [Fact]
    public async Task A_key_of_a_place_that_is_none_is_refused() =>
        await Assert.ThrowsAsync<ArgumentException>(async () => await _store.OpenReadAsync(new BlobPlace(Digest.Of([1]), "../../x"), 0, None));

    [Fact]
    public async Task A_shard_that_was_removed_meanwhile_is_made_again()
    {
        await PushAsync("one-aa", Bytes(10));
        Directory.Delete(Path.Join(_folder, "berth/blobs/aa"), recursive: true);
        Assert.Equal(Bytes(10), await ReadAsync(await PushAsync("two-aa", Bytes(10))));
    }
}
