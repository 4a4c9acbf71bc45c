using System.Text;
using Berth.Blobs.Encryption;
using Berth.Blobs.Encryption.Keys;
using Berth.Blobs.FileSystem;
using Berth.Blobs.Tests.Encryption.Keys;
using Berth.Oci;

namespace Berth.Blobs.Tests.Encryption;

/// <summary>Encryption over the file system.</summary>
public sealed class EncryptedFileSystemTests : BlobStoreContract, IDisposable
{
    internal const string MasterKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    private readonly string _folder = Directory.CreateTempSubdirectory("berth-test-").FullName;
    private readonly MemoryDataKeyTable _table = new();
    private readonly List<DataKeys> _keys = [];
    private readonly EncryptedBlobStore _store;

    public EncryptedFileSystemTests() => _store = Open();

    protected override IBlobStore Store => _store;

    protected override bool WritesAtOnce => false;

    public void Dispose()
    {
        foreach (var keys in _keys) keys.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    protected override IBlobStore OtherReplica() => Open();

    protected override Task<IReadOnlyCollection<string>> ListRawAsync() =>
        Task.FromResult<IReadOnlyCollection<string>>([.. Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories)]);

    protected override async Task WriteRawAsync(string path, byte[] content)
    {
        var file = Path.Join(_folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllBytesAsync(file, content);
    }

    [Fact]
    public async Task No_plain_byte_reaches_the_disk_or_the_saved_state()
    {
        var content = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("the secret of the layer ", 10_000)));
        var mark = await AppendAsync(Start("up"), content);
        Assert.DoesNotContain("secret", mark.State, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String("the secret of the layer "u8), mark.State, StringComparison.Ordinal);
        await NothingPlainAsync();
        await CommitAsync(mark, Digest.Of(content));
        await Store.WriteUploadAsync("whole", content, None);
        await NothingPlainAsync();
        Assert.True(mark.State!.Length < 100_000);
    }

    [Fact]
    public async Task Plain_content_and_encrypted_content_live_side_by_side()
    {
        var content = Bytes(100_000);
        var plain = Open(encrypts: false);
        await plain.WriteUploadAsync("before", content, None);
        await plain.NameUploadAsync("before", Digest.Of(content), None);
        var before = plain.PlaceOf("before", Digest.Of(content));
        var after = await PushAsync("after", content);
        Assert.False(EncryptedBlobStore.IsEncrypted(before));
        Assert.True(EncryptedBlobStore.IsEncrypted(after));
        foreach (var store in new IBlobStore[] { _store, plain })
        {
            Assert.Equal(content, await ReadAllAsync(await store.OpenReadAsync(before, 0, None)));
            Assert.Equal(content, await ReadAllAsync(await store.OpenReadAsync(after, 0, None)));
            Assert.Equal(content.Length, await store.GetSizeAsync(after, None));
        }
        Assert.Equal([100_000L, 100_000L], (await ListContentAsync()).Select(c => c.Size));
    }

    [Fact]
    public async Task An_upload_from_before_encryption_was_switched_starts_again()
    {
        var plain = Open(encrypts: false);
        var begunPlain = await AppendAsync(plain, Start("a"), Bytes(100));
        var begunEncrypted = await AppendAsync(Start("b"), Bytes(100));
        await Assert.ThrowsAsync<UploadBytesMissingException>(async () => await Store.OpenUploadAsync(begunPlain, None));
        await Assert.ThrowsAsync<UploadBytesMissingException>(async () => await plain.OpenUploadAsync(begunEncrypted, None));
        // Either way what they left is removed.
        await Store.DeleteUploadAsync("a", begunPlain.State, None);
        await plain.DeleteUploadAsync("b", begunEncrypted.State, None);
        Assert.Empty(await ListRawAsync());
    }

    [Fact]
    public void Keys_of_uploads_do_not_look_like_those_of_encrypted_content()
    {
        foreach (var store in new[] { _store, Open(encrypts: false) })
        {
            Assert.Throws<ArgumentException>(() => store.PlaceOf("e1-abc", Digest.Of([1])));
            Assert.Throws<ArgumentException>(() => store.PlaceOf(new string('a', 126), Digest.Of([1])));
        }
        Assert.Equal("e1-" + new string('a', 125), _store.PlaceOf(new string('a', 125), Digest.Of([1])).Key);
    }

    [Fact]
    public void A_store_that_keeps_content_by_digest_cannot_be_encrypted()
    {
        using var keys = NewKeys();
        Assert.Throws<ArgumentException>(() => new EncryptedBlobStore(new FileSystemBlobStore(_folder, 0, TimeProvider.System), keys, encrypts: true));
    }

    [Fact]
    public async Task Encrypted_content_has_no_address_of_its_own()
    {
        var place = await PushAsync("up", Bytes(10));
        Assert.Null(await Store.SignReadAsync(place, TimeSpan.FromMinutes(5), None));
    }

    [Fact]
    public async Task An_upload_whose_chunks_the_disk_lost_says_that_its_bytes_are_missing()
    {
        var mark = await AppendAsync(Start("up"), Bytes(200_000));
        var file = Path.Join(_folder, "berth/uploads/e1-up");
        var bytes = await File.ReadAllBytesAsync(file);
        Array.Clear(bytes, 70_000, 4096);
        await File.WriteAllBytesAsync(file, bytes);
        using var reader = await Store.OpenUploadReadAsync(mark, None);
        await Assert.ThrowsAsync<UploadBytesMissingException>(() => FillAsync(reader!, new byte[200_000], 0));
    }

    [Fact]
    public async Task Content_outlives_any_number_of_rotations()
    {
        var places = new List<(BlobPlace Place, byte[] Content)>();
        for (var i = 0; i < 4; i++)
        {
            places.Add((await PushAsync($"up{i}", Bytes(1000, i)), Bytes(1000, i)));
            await _keys[0].RotateAsync(None);
        }
        var other = Open();
        foreach (var (place, content) in places) Assert.Equal(content, await ReadAllAsync(await other.OpenReadAsync(place, 0, None)));
        var headers = new HashSet<string>();
        foreach (var file in await ListRawAsync()) headers.Add(Convert.ToHexString((await File.ReadAllBytesAsync(file)).AsSpan(16, 16)));
        Assert.Equal(4, headers.Count);
    }

    private async Task NothingPlainAsync()
    {
        foreach (var file in await ListRawAsync())
            Assert.Equal(-1, (await File.ReadAllBytesAsync(file)).AsSpan().IndexOf("secret"u8));
    }

    private EncryptedBlobStore Open(bool encrypts = true) =>
        new(new FileSystemBlobStore(_folder, 0, TimeProvider.System, byKey: encrypts), NewKeys(), encrypts);

    private DataKeys NewKeys()
    {
        _keys.Add(new DataKeys(_table, [new LocalMasterKey(MasterKey)], TimeProvider.System));
        return _keys[^1];
    }
}
