using System.Buffers;
using Berth.Blobs.Objects;
using Berth.Oci;

namespace Berth.Blobs.Tests.Objects;

/// <summary>What all object stores have in common, on a service in memory.</summary>
#pragma warning disable CA1001 // Nothing but memory.
public class ObjectBlobStoreTests : BlobStoreContract
#pragma warning restore CA1001
{
    private const int Part = 64 << 10;

    private readonly MemoryObjects _objects;
    private readonly PartMemory _memory = new(4 * Part);
    private readonly ObjectBlobStore _store;

    public ObjectBlobStoreTests() : this(new PartLimits(Part, 1, 64, 3))
    {
    }

    private protected ObjectBlobStoreTests(PartLimits limits)
    {
        _objects = new MemoryObjects(limits);
        _store = new ObjectBlobStore(_objects, "/root/", _memory, TimeProvider.System);
    }

    protected override IBlobStore Store => _store;

    protected override int PartBytes => Part;

    protected override IBlobStore OtherReplica() => new ObjectBlobStore(_objects, "root", _memory, TimeProvider.System);

    protected override Task<IReadOnlyCollection<string>> ListRawAsync() => Task.FromResult(_objects.Keys);

    protected override Task WriteRawAsync(string path, byte[] content) => _objects.PutAsync("root/" + path, content, None);

    [Fact]
    public async Task Content_lies_below_the_root_by_the_key_of_its_upload()
    {
        await PushAsync("abcd", Bytes(10));
        await AppendAsync(Start("open"), Bytes(10));
        Assert.Equal("root/berth/blobs/ab/abcd", _objects.Keys.Single(k => k.Contains("/blobs/", StringComparison.Ordinal)));
        Assert.StartsWith("root/berth/uploads/open/0-10-", _objects.Keys.Single(k => k.Contains("/uploads/", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Content_of_one_part_is_one_request()
    {
        await PushAsync("one", Bytes(Part));
        Assert.Equal(["put"], _objects.Calls);
    }

    [Fact]
    public async Task Content_written_whole_is_one_request()
    {
        await Store.WriteUploadAsync("whole", Bytes(100), None);
        await Store.NameUploadAsync("whole", Digest.Of(Bytes(100)), None);
        Assert.Equal(["put"], _objects.Calls);
    }

    [Fact]
    public async Task Many_saves_of_single_bytes_write_few_tails_and_each_byte_few_times()
    {
        var written = 0;
        var mark = Start("up");
        await using (var appender = await Store.OpenUploadAsync(mark, None))
        {
            for (var i = 0; i < 256; i++)
            {
                await appender.AppendAsync(new ReadOnlySequence<byte>([(byte)i]), None);
                mark = await appender.SaveAsync(None);
                written += int.Parse(UploadState.Read(mark.State)!.Tails[^1].Name.Split('-')[1]);
                Assert.InRange(UploadState.Read(mark.State)!.Tails.Count, 1, 9);
            }
        }
        Assert.InRange(written, 256, 256 * 9);
    }

    [Fact]
    public async Task Nothing_is_taken_in_twice_or_lost_when_calls_fail_and_are_repeated()
    {
        var content = Bytes((5 * Part) + 77);
        var random = new Random(5);
        var failures = 0;
        _objects.Before = (call, _) => FailAtRandom(random, ref failures);
        _objects.After = (call, _) => FailAtRandom(random, ref failures);
        await using (var appender = await Store.OpenUploadAsync(Start("up"), None))
        {
            while (appender.Offset < content.Length)
            {
                var length = (int)Math.Min(10_000, content.Length - appender.Offset);
                await TryAsync(() => appender.AppendAsync(new ReadOnlySequence<byte>(content, (int)appender.Offset, length), None));
                if (random.Next(3) == 0) await TryAsync(async () => await appender.SaveAsync(None));
            }
            while (!await TryAsync(() => appender.CommitAsync(Digest.Of(content), None))) { }
        }
        (_objects.Before, _objects.After) = ((_, _) => { }, (_, _) => { });
        Assert.True(failures > 10, $"{failures} failures");
        Assert.Equal(content, await ReadAsync(Store.PlaceOf("up", Digest.Of(content))));
        Assert.Equal(0, _memory.UsedBytes);
    }

    /// <summary>A process that believes that it owns the upload writes other bytes at the same places.</summary>
    [Fact]
    public async Task A_saved_mark_stays_true_whatever_another_process_writes()
    {
        var (content, other) = (Bytes(Part / 2), Bytes(Part / 2, 9));
        await using var zombie = await OtherReplica().OpenUploadAsync(Start("up"), None);
        await zombie.AppendAsync(new ReadOnlySequence<byte>(other), None);
        var mark = await AppendAsync(Start("up"), content);
        await zombie.SaveAsync(None);
        Assert.Equal(content, await ReadAsync(await CommitAsync(mark, Digest.Of(content))));
    }

    [Fact]
    public async Task Streams_that_break_off_are_read_on()
    {
        var content = Bytes(10_000);
        var place = await PushAsync("up", content);
        _objects.CutStreamsAfter = 999;
        Assert.Equal(content, await ReadAsync(place));
        _objects.CutStreamsAfter = 0;
        using var reader = await Store.OpenReadAsync(place, 0, None);
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await reader!.ReadAsync(new byte[10], 5, None));
    }

    [Fact]
    public async Task Content_that_vanishes_while_it_is_read_is_an_error()
    {
        var place = await PushAsync("up", Bytes(10_000));
        _objects.CutStreamsAfter = 100;
        using var reader = await Store.OpenReadAsync(place, 0, None);
        await FillAsync(reader!, new byte[100], 0);
        await Store.DeleteAsync(place, None);
        await Assert.ThrowsAsync<IOException>(async () => await reader!.ReadAsync(new byte[10], 100, None));
        await _objects.PutAsync("root/berth/blobs/up/up", Bytes(10_001), None);
        await Assert.ThrowsAsync<IOException>(async () => await reader!.ReadAsync(new byte[10], 100, None));
    }

    [Fact]
    public async Task Tails_that_could_not_be_removed_do_not_undo_a_commit_and_are_found_later()
    {
        var content = Bytes(100);
        var mark = await AppendAsync(Start("up"), content);
        _objects.Before = (call, _) =>
        {
            if (call == "delete") throw new StoreUnavailableException("out of reach");
        };
        var place = await CommitAsync(mark, Digest.Of(content));
        _objects.Before = (_, _) => { };
        Assert.Equal(content, await ReadAsync(place));
        var listed = new List<string>();
        await foreach (var key in Store.ListUploadsAsync(DateTimeOffset.MaxValue, None)) listed.Add(key);
        Assert.Equal(["up"], listed);
        await Store.DeleteUploadAsync("up", null, None);
        Assert.Single(await ListRawAsync());
    }

    [Fact]
    public async Task Memory_is_given_back_and_more_than_the_bound_is_one_part_for_each_upload()
    {
        var most = 0L;
        var objects = new MemoryObjects(new PartLimits(Part, 1, 64, 3, IsEven: true)) { Before = (_, _) => most = Math.Max(most, _memory.UsedBytes) };
        var store = new ObjectBlobStore(objects, null, _memory, TimeProvider.System);
        await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(async () =>
        {
            await using var appender = await store.OpenUploadAsync(Start($"up{i}"), None);
            var content = new ReadOnlySequence<byte>(Bytes(20 * Part, i));
            await appender.AppendAsync(content, None);
            if (i % 2 == 0) await appender.CommitAsync(Digest.Of(Bytes(20 * Part, i)), None);
        })));
        Assert.InRange(most, Part, 10 * Part);
        Assert.Equal(0, _memory.UsedBytes);
    }

    [Fact]
    public void Parts_grow_so_that_five_terabytes_fit()
    {
        var limits = new PartLimits(16 << 20, 1, 10_000, 4);
        Assert.Equal(16 << 20, PartSizes.Of(1, limits));
        Assert.Equal(16 << 20, PartSizes.Of(625, limits));
        Assert.Equal(32 << 20, PartSizes.Of(626, limits));
        Assert.True(Enumerable.Range(1, 10_000).Sum(n => (long)PartSizes.Of(n, limits)) > 5L << 40);
        Assert.Equal(0, PartSizes.Of(7000, limits with { Multiple = 256 << 10, PartBytes = 10_000_000 }) % (256 << 10));
        Assert.Equal(16 << 20, PartSizes.Of(9999, limits with { IsEven = true }));
    }

    [Fact]
    public async Task Content_of_more_parts_than_the_store_takes_is_refused()
    {
        var store = new ObjectBlobStore(new MemoryObjects(new PartLimits(10, 1, 2, 1, IsEven: true)), null, _memory, TimeProvider.System);
        await using var appender = await store.OpenUploadAsync(Start("up"), None);
        await appender.AppendAsync(new ReadOnlySequence<byte>(Bytes(25)), None);
        await Assert.ThrowsAsync<IOException>(async () => await appender.CommitAsync(Digest.Of(Bytes(25)), None));
    }

    private static void FailAtRandom(Random random, ref int failures)
    {
        lock (random)
        {
            if (random.Next(4) != 0) return;
            failures++;
        }
        throw new StoreUnavailableException("out of reach");
    }

    private static async Task<bool> TryAsync(Func<ValueTask> call)
    {
        try
        {
            await call();
            return true;
        }
        catch (StoreUnavailableException)
        {
            return false;
        }
    }
}

/// <summary>The same where a save may write a small part in place of a tail, in whole blocks.</summary>
public sealed class ShortPartsTests() : ObjectBlobStoreTests(new PartLimits(64 << 10, 512, 200, 3, 8 << 10));

/// <summary>The same where parts come in order.</summary>
public sealed class PartsInOrderTests() : ObjectBlobStoreTests(new PartLimits(64 << 10, 256, 64, 1));
