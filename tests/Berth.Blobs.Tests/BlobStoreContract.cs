using Berth.Oci;

namespace Berth.Blobs.Tests;

/// <summary>What every blob store must do (<see cref="IBlobStore"/>). Each driver derives this class.</summary>
public abstract class BlobStoreContract : UploadContract
{
    [Fact]
    public async Task Content_is_read_from_any_offset_whatever_it_was_opened_for()
    {
        var content = Bytes(PartBytes + 100_000);
        var place = await PushAsync("up", content);
        foreach (var offset in new[] { 0, 1, PartBytes - 1, PartBytes, content.Length - 10, content.Length })
        {
            using var reader = await Store.OpenReadAsync(place, offset, None);
            Assert.Equal(content.Length, reader!.Length);
            var buffer = new byte[Math.Min(5000, content.Length - offset)];
            await FillAsync(reader, buffer, offset);
            Assert.Equal(content[offset..(offset + buffer.Length)], buffer);
            // On from there, back, and far ahead.
            foreach (var next in new[] { Math.Min(offset + 5000, content.Length - 5), 3, content.Length - 7 })
            {
                var five = new byte[5];
                await FillAsync(reader, five, next);
                Assert.Equal(content[next..(next + 5)], five);
            }
            Assert.Equal(0, await reader.ReadAsync(new byte[50], content.Length, None));
        }
    }

    [Fact]
    public async Task Content_is_read_by_many_at_once()
    {
        var content = Bytes(100_000);
        var place = await PushAsync("up", content);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(async () =>
        {
            using var reader = await Store.OpenReadAsync(place, i * 5000, None);
            var buffer = new byte[50_000];
            await FillAsync(reader!, buffer, i * 5000);
            Assert.Equal(content[(i * 5000)..((i * 5000) + 50_000)], buffer);
        })));
    }

    [Fact]
    public async Task A_reader_is_not_disturbed_by_the_same_content_committed_again()
    {
        var content = Bytes(3000);
        using var open = await Store.OpenReadAsync(await PushAsync("a", content), 0, None);
        var again = await PushAsync("b", content);
        Assert.Equal(content, await ReadAsync(again));
        var buffer = new byte[3000];
        await FillAsync(open!, buffer, 0);
        Assert.Equal(content, buffer);
    }

    [Fact]
    public async Task Deleting_is_for_good_and_may_be_repeated()
    {
        foreach (var size in new[] { 100, PartBytes + 100 })
        {
            var place = await PushAsync($"up-{size}", Bytes(size));
            await Store.DeleteAsync(place, None);
            await Store.DeleteAsync(place, None);
            Assert.Null(await Store.OpenReadAsync(place, 0, None));
            Assert.Null(await Store.GetSizeAsync(place, None));
            Assert.Null(await Store.ConfirmAsync(place, None));
        }
        Assert.Empty(await ListRawAsync());
    }

    [Fact]
    public async Task Listing_finds_the_content_and_nothing_else()
    {
        var places = new List<(BlobPlace Place, int Size)>();
        foreach (var size in new[] { 0, 10, PartBytes + 10 })
            places.Add((await PushAsync($"up-{size}", Bytes(size)), size));
        var whole = Bytes(77);
        await Store.WriteUploadAsync("whole", whole, None);
        await Store.NameUploadAsync("whole", Digest.Of(whole), None);
        places.Add((Store.PlaceOf("whole", Digest.Of(whole)), 77));
        await AppendAsync(Start("open-1"), Bytes(55));
        await AppendAsync(Start("open-2"), Bytes(PartBytes + 55));
        await Store.ProbeAsync(None);

        var listed = await ListContentAsync();
        Assert.Equal(places.Count, listed.Count);
        foreach (var (place, size) in places)
        {
            var found = Assert.Single(listed, c => place.Key is null ? c.Key is null && c.Digest == place.Digest : c.Key == place.Key);
            Assert.Equal(size, found.Size);
            // Loose, since the store has a clock of its own.
            Assert.InRange(found.ChangedAt, TimeProvider.System.GetUtcNow().AddHours(-1), TimeProvider.System.GetUtcNow().AddHours(1));
        }
    }

    /// <summary>Content that is adopted lies where Docker Registry wrote it.</summary>
    [Fact]
    public async Task What_Docker_Registry_wrote_is_read_listed_and_deleted()
    {
        var content = Bytes(5000);
        var place = new BlobPlace(Digest.Of(content), null);
        var hex = place.Digest.Hex.ToString();
        await WriteRawAsync($"docker/registry/v2/blobs/sha256/{hex[..2]}/{hex}/data", content);
        Assert.Equal(content, await ReadAsync(place));
        Assert.Equal(content.Length, await Store.GetSizeAsync(place, None));
        Assert.Equal(content.Length, await Store.ConfirmAsync(place, None));
        var listed = Assert.Single(await ListContentAsync());
        Assert.Equal((place.Digest, null, 5000L), (listed.Digest, listed.Key, listed.Size));
        await Store.DeleteAsync(place, None);
        Assert.Empty(await ListRawAsync());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(70_000)]
    public async Task Content_written_whole_is_there_once_it_is_named(int size)
    {
        foreach (var algorithm in new[] { DigestAlgorithm.Sha256, DigestAlgorithm.Sha512 })
        {
            var content = Bytes(size);
            var key = $"whole-{algorithm.Name}";
            var place = Store.PlaceOf(key, Digest.Of(content, algorithm));
            await Store.WriteUploadAsync(key, content, None);
            // An object store has one place for both: the bytes show before they are named.
            Assert.Equal(Store.IsObjectStore ? size : null, await Store.GetSizeAsync(place, None));
            await Store.NameUploadAsync(key, place.Digest, None);
            Assert.Equal(content, await ReadAsync(place));
            Assert.Equal(size, await Store.ConfirmAsync(place, None));
        }
    }

    [Fact]
    public async Task Writing_whole_replaces_whatever_the_upload_had()
    {
        var content = Bytes(100, 2);
        await AppendAsync(Start("whole"), Bytes(5000));
        await Store.WriteUploadAsync("whole", Bytes(70_000), None);
        await Store.WriteUploadAsync("whole", content, None);
        await Store.NameUploadAsync("whole", Digest.Of(content), None);
        Assert.Equal(content, await ReadAsync(Store.PlaceOf("whole", Digest.Of(content))));
    }

    /// <summary>Written whole and never named: a file system has it as an upload, an object store as content, which its own removal takes.</summary>
    [Fact]
    public async Task What_was_written_whole_and_never_named_can_be_removed()
    {
        await Store.WriteUploadAsync("left-over", Bytes(10), None);
        await Store.DeleteUploadAsync("left-over", null, None);
        var place = Store.PlaceOf("left-over", Digest.Of(Bytes(10)));
        Assert.Equal(Store.IsObjectStore ? 10 : null, await Store.GetSizeAsync(place, None));
        await Store.DeleteAsync(place, None);
        Assert.Empty(await ListRawAsync());
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
            Assert.Equal(content, await ReadAsync(Store.PlaceOf($"whole{i}", Digest.Of(content))));
        })));
    }

    /// <summary>Where a store reads unfinished uploads back, it reads exactly what was saved.</summary>
    [Fact]
    public async Task An_unfinished_upload_reads_back_as_it_was_saved_or_not_at_all()
    {
        Assert.Null(await Store.OpenUploadReadAsync(Start("none"), None));
        var content = Bytes(5000);
        var mark = await AppendAsync(Start("up"), content);
        using var reader = await Store.OpenUploadReadAsync(mark, None);
        Assert.Equal(Store.IsObjectStore, reader is null);
        if (reader is null) return;
        Assert.Equal(content, await ReadAllAsync(reader));
    }

    [Fact]
    public async Task An_unfinished_upload_is_listed_for_the_janitor_or_is_none()
    {
        var large = await AppendAsync(Start("left-over"), Bytes(PartBytes + 10));
        var place = await PushAsync("done", Bytes(PartBytes + 10));
        var listed = new List<string>();
        await foreach (var key in Store.ListUploadsAsync(DateTimeOffset.MaxValue, None)) listed.Add(key);
        Assert.DoesNotContain("done", listed);
        if (!Store.IsObjectStore) Assert.Equal(["left-over"], listed);
        foreach (var key in listed) await Store.DeleteUploadAsync(key, null, None);
        if (listed.Count == 0) await Store.DeleteUploadAsync("left-over", large.State, None);
        Assert.Equal(PartBytes + 10, await Store.GetSizeAsync(place, None));
        Assert.Single(await ListRawAsync());
        await foreach (var key in Store.ListUploadsAsync(TimeProvider.System.GetUtcNow().AddHours(-2), None)) Assert.Fail($"{key} is listed");
    }

    [Fact]
    public async Task A_probe_of_a_store_in_order_passes_and_leaves_nothing()
    {
        await Store.ProbeAsync(None);
        await Store.ProbeAsync(None);
        Assert.Empty(await ListRawAsync());
    }

    [Fact]
    public void There_is_room() => Assert.True(Store.FreeBytes > 1 << 20);
}
