using Berth.Blobs.Encryption;
using Berth.Blobs.Encryption.Keys;
using Berth.Blobs.Objects;
using Berth.Blobs.Tests.Encryption.Keys;
using Berth.Blobs.Tests.Objects;
using Berth.Oci;

namespace Berth.Blobs.Tests.Encryption;

/// <summary>Encryption over an object store.</summary>
public sealed class EncryptedObjectsTests : BlobStoreContract, IDisposable
{
    private const int Part = 64 << 10;

    private readonly MemoryObjects _objects = new(new PartLimits(Part, 1, 64, 3));
    private readonly PartMemory _memory = new(4 * Part);
    private readonly MemoryDataKeyTable _table = new();
    private readonly List<DataKeys> _keys = [];
    private readonly IBlobStore _store;

    public EncryptedObjectsTests() => _store = OtherReplica();

    protected override IBlobStore Store => _store;

    protected override int PartBytes => Part;

    public void Dispose()
    {
        foreach (var keys in _keys) keys.Dispose();
    }

    protected override IBlobStore OtherReplica()
    {
        _keys.Add(new DataKeys(_table, [new LocalMasterKey(EncryptedFileSystemTests.MasterKey)], TimeProvider.System));
        return new EncryptedBlobStore(new ObjectBlobStore(_objects, "root", _memory, TimeProvider.System), _keys[^1], encrypts: true);
    }

    protected override Task<IReadOnlyCollection<string>> ListRawAsync() => Task.FromResult(_objects.Keys);

    protected override Task WriteRawAsync(string path, byte[] content) => _objects.PutAsync("root/" + path, content, None);

    [Fact]
    public async Task Small_content_is_one_request_and_reading_it_another()
    {
        var place = await PushAsync("one", Bytes(1000));
        Assert.Equal(["put"], _objects.Calls);
        Assert.Equal(Bytes(1000), await ReadAsync(place));
        Assert.Equal(["put", "open"], _objects.Calls);
    }

    [Fact]
    public async Task A_range_of_content_whose_header_is_known_is_one_request()
    {
        var content = Bytes(1_000_000);
        var place = await PushAsync("up", content);
        Assert.Equal(content, await ReadAsync(place));
        _objects.Calls.Clear();
        using var reader = await Store.OpenReadAsync(place, 700_000, None);
        var buffer = new byte[1000];
        await FillAsync(reader!, buffer, 700_000);
        Assert.Equal(content[700_000..701_000], buffer);
        Assert.Equal(["open"], _objects.Calls);
    }

    /// <summary>The first try made the object after all; the second one sealed its last chunk anew.</summary>
    [Fact]
    public async Task A_commit_whose_answer_was_lost_leaves_content_that_opens()
    {
        var content = Bytes((3 * Part) + 5);
        var mark = await AppendAsync(Start("up"), content);
        _objects.After = (call, _) =>
        {
            if (call == "complete") throw new StoreUnavailableException("the answer is lost");
        };
        await Assert.ThrowsAsync<StoreUnavailableException>(() => CommitAsync(mark, Digest.Of(content)));
        _objects.After = (_, _) => { };
        Assert.Equal(content, await ReadAsync(await CommitAsync(OtherReplica(), mark, Digest.Of(content))));
        Assert.Single(await ListRawAsync());
    }
}
