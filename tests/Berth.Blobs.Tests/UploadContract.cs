using System.Buffers;
using Berth.Oci;

namespace Berth.Blobs.Tests;

/// <summary>What uploads in pieces must do in every store.</summary>
public abstract class UploadContract : StoreWords
{
    [Fact]
    public async Task Content_is_there_after_the_commit_and_not_before()
    {
        var content = Bytes(200_000);
        var digest = Digest.Of(content);
        var place = Store.PlaceOf("up-1", digest);
        var mark = await AppendAsync(Start("up-1"), content);
        Assert.Null(await Store.OpenReadAsync(place, 0, None));
        Assert.Null(await Store.GetSizeAsync(place, None));
        Assert.Null(await Store.ConfirmAsync(place, None));
        Assert.Empty(await ListContentAsync());
        Assert.Equal(place, await CommitAsync(mark, digest));
        Assert.Equal(content, await ReadAsync(place));
        Assert.Equal(content.Length, await Store.GetSizeAsync(place, None));
        Assert.Equal(content.Length, await Store.ConfirmAsync(place, None));
        // Nothing of the upload is left beside its content.
        Assert.Single(await ListRawAsync());
    }

    [Fact]
    public async Task Any_size_and_either_algorithm_will_do()
    {
        var number = 0;
        foreach (var size in new[] { 0, 1, 70_000, PartBytes, PartBytes + 1 })
        {
            foreach (var algorithm in new[] { DigestAlgorithm.Sha256, DigestAlgorithm.Sha512 })
            {
                var content = Bytes(size);
                var key = $"up-{number++}";
                Assert.Equal(content, await ReadAsync(await PushAsync(key, content, algorithm)));
                // Saved before it is committed, it is the same.
                content = Bytes(size, 2);
                var mark = await AppendAsync(Start($"{key}-saved"), content);
                Assert.Equal(content, await ReadAsync(await CommitAsync(mark, Digest.Of(content, algorithm))));
            }
        }
    }

    [Fact]
    public async Task An_upload_grows_by_pieces_of_any_form()
    {
        var content = Bytes(10_000);
        UploadMark mark;
        await using (var appender = await Store.OpenUploadAsync(Start("up"), None))
        {
            Assert.Equal(0, appender.Offset);
            await appender.AppendAsync(ReadOnlySequence<byte>.Empty, None);
            await appender.AppendAsync(new ReadOnlySequence<byte>(content, 0, 4000), None);
            await appender.AppendAsync(Segments(content.AsMemory(4000, 100), content.AsMemory(4100, 0), content.AsMemory(4100, 1900)), None);
            Assert.Equal(6000, appender.Offset);
            mark = await appender.SaveAsync(None);
        }
        mark = await AppendAsync(mark, content[6000..]);
        Assert.Equal(content, await ReadAsync(await CommitAsync(mark, Digest.Of(content))));
    }

    [Fact]
    public async Task Nothing_may_come_between_two_saves()
    {
        var content = Bytes(300);
        var mark = await AppendAsync(Start("up"), []);
        Assert.Equal(0, mark.Offset);
        mark = await AppendAsync(mark, content);
        mark = await AppendAsync(mark, []);
        Assert.Equal(content, await ReadAsync(await CommitAsync(mark, Digest.Of(content))));
    }

    /// <summary>Every piece by another replica, as behind a load balancer.</summary>
    [Fact]
    public async Task An_upload_in_pieces_of_sizes_around_a_part_goes_on_in_another_replica_after_each()
    {
        int[] sizes = [1, PartBytes - 1, PartBytes, PartBytes + 1, 1, 1, 2 * PartBytes, 100, PartBytes - 101];
        var content = Bytes(sizes.Sum());
        var (mark, at) = (Start("up"), 0);
        foreach (var size in sizes)
        {
            mark = await AppendAsync(OtherReplica(), mark, content[at..(at + size)]);
            at += size;
        }
        Assert.Equal(content, await ReadAsync(await CommitAsync(OtherReplica(), mark, Digest.Of(content))));
        Assert.Single(await ListRawAsync());
    }

    [Fact]
    public async Task Many_small_pieces_saved_by_one_appender_make_the_whole()
    {
        var content = Bytes(PartBytes + 3000);
        await using (var appender = await Store.OpenUploadAsync(Start("up"), None))
        {
            await AppendByOneAsync(appender, content, 0, 30);
            await appender.AppendAsync(new ReadOnlySequence<byte>(content, 30, PartBytes - 40), None);
            await AppendByOneAsync(appender, content, PartBytes - 10, 20);
            await appender.AppendAsync(new ReadOnlySequence<byte>(content, PartBytes + 10, 2990), None);
            await appender.CommitAsync(Digest.Of(content), None);
        }
        Assert.Equal(content, await ReadAsync(Store.PlaceOf("up", Digest.Of(content))));
        Assert.Single(await ListRawAsync());
    }

    [Fact]
    public async Task An_upload_goes_on_from_a_mark_by_the_process_that_saved_it_without_another_save()
    {
        var content = Bytes(PartBytes + 5000);
        await using var appender = await Store.OpenUploadAsync(Start("up"), None);
        await appender.AppendAsync(new ReadOnlySequence<byte>(content, 0, 3000), None);
        await appender.SaveAsync(None);
        await appender.AppendAsync(new ReadOnlySequence<byte>(content, 3000, PartBytes), None);
        // What is not saved counts only where it is written at once.
        Assert.Equal(WritesAtOnce ? PartBytes + 3000 : 3000, appender.Saved.Offset);
        await appender.AppendAsync(new ReadOnlySequence<byte>(content, PartBytes + 3000, 2000), None);
        await appender.CommitAsync(Digest.Of(content), None);
        Assert.Equal(content, await ReadAsync(Store.PlaceOf("up", Digest.Of(content))));
    }

    [Fact]
    public async Task What_lies_behind_the_mark_is_cut_off()
    {
        var content = Bytes(5000);
        var mark = await AppendAsync(Start("up"), content[..2000]);
        await AppendAsync(mark, Bytes(1000, 9));
        mark = await AppendAsync(OtherReplica(), mark, content[2000..]);
        Assert.Equal(content, await ReadAsync(await CommitAsync(mark, Digest.Of(content))));
    }

    [Fact]
    public async Task An_upload_goes_on_from_any_mark_that_was_ever_saved()
    {
        var other = Bytes((2 * PartBytes) + 500, 9);
        // Where parts only go forward, a mark is good for going back as long as no part has been sent.
        int[] firsts = GoesBackToOlderMarks ? [400, PartBytes, PartBytes + 400] : [400];
        foreach (var first in firsts)
        {
            var content = Bytes(other.Length, first);
            var key = $"up-{first}";
            var mark = await AppendAsync(Start(key), content[..first]);
            // A replica that was cut off before its save came into the database, once with less and once with more.
            await AppendAsync(mark, other[first..(first + 50)]);
            await AppendAsync(mark, other[first..]);
            mark = await AppendAsync(OtherReplica(), mark, content[first..]);
            Assert.Equal(content, await ReadAsync(await CommitAsync(mark, Digest.Of(content))));
        }
        // The replicas that were cut off may have left something, which the janitor finds.
        var listed = new List<string>();
        await foreach (var key in Store.ListUploadsAsync(DateTimeOffset.MaxValue, None)) listed.Add(key);
        foreach (var key in listed) await Store.DeleteUploadAsync(key, null, None);
        Assert.Equal(firsts.Length, (await ListRawAsync()).Count);
    }

    [Fact]
    public async Task An_upload_that_starts_over_forgets_what_it_had()
    {
        var content = Bytes(100, 3);
        await AppendAsync(Start("up"), Bytes(PartBytes + 100));
        var place = await CommitAsync(await AppendAsync(Start("up"), content), Digest.Of(content));
        Assert.Equal(content, await ReadAsync(place));
    }

    [Fact]
    public async Task Missing_bytes_are_an_error_of_their_own()
    {
        await Assert.ThrowsAsync<UploadBytesMissingException>(() => OpenAndCommitAsync(new UploadMark("none", 5, null)));
        var small = await AppendAsync(Start("small"), Bytes(100));
        var large = await AppendAsync(Start("large"), Bytes(PartBytes + 100));
        await Store.DeleteUploadAsync("small", small.State, None);
        await Store.DeleteUploadAsync("large", large.State, None);
        await Assert.ThrowsAsync<UploadBytesMissingException>(() => OpenAndCommitAsync(small));
        await Assert.ThrowsAsync<UploadBytesMissingException>(() => OpenAndCommitAsync(large));
    }

    /// <summary>Whoever commits again, since the answer was lost, either finds the content made or learns that the upload is no more; it asks then (<see cref="IBlobStore.ConfirmAsync"/>).</summary>
    [Fact]
    public async Task A_commit_whose_answer_was_lost_may_be_repeated()
    {
        foreach (var size in new[] { 3000, PartBytes + 3000 })
        {
            var content = Bytes(size);
            var mark = await AppendAsync(Start($"up-{size}"), content);
            var place = await CommitAsync(mark, Digest.Of(content));
            try
            {
                await CommitAsync(OtherReplica(), mark, Digest.Of(content));
            }
            catch (UploadBytesMissingException)
            {
                Assert.Equal(size, await OtherReplica().ConfirmAsync(place, None));
            }
            Assert.Equal(content, await ReadAsync(place));
        }
    }

    [Fact]
    public async Task Many_may_commit_the_same_content_at_once()
    {
        var content = Bytes(20_000);
        await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(async () =>
        {
            var mark = await AppendAsync(Start($"up{i}"), content);
            Assert.Equal(content, await ReadAsync(await CommitAsync(mark, Digest.Of(content))));
        })));
    }

    [Fact]
    public async Task Many_large_uploads_go_on_at_once()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(async () =>
        {
            var content = Bytes((2 * PartBytes) + 1000, i);
            Assert.Equal(content, await ReadAsync(await PushAsync($"up{i}", content)));
        })));
    }

    [Fact]
    public async Task Removing_an_upload_leaves_nothing_of_it_and_may_be_repeated()
    {
        var small = await AppendAsync(Start("small"), Bytes(100));
        var large = await AppendAsync(await AppendAsync(Start("large"), Bytes(PartBytes + 100)), Bytes(PartBytes));
        var lost = await AppendAsync(Start("lost"), Bytes(PartBytes + 100));
        Assert.Equal(PartBytes + 100, lost.Offset);
        Assert.NotEmpty(await ListRawAsync());
        for (var i = 0; i < 2; i++)
        {
            await Store.DeleteUploadAsync("small", small.State, None);
            await Store.DeleteUploadAsync("large", large.State, None);
            // Of this one the session was lost.
            await Store.DeleteUploadAsync("lost", null, None);
            await Store.DeleteUploadAsync("never", null, None);
        }
        Assert.Empty(await ListRawAsync());
    }

    [Fact]
    public async Task Removing_an_upload_leaves_its_content()
    {
        var content = Bytes(PartBytes + 100);
        var mark = await AppendAsync(Start("up"), content);
        var place = await CommitAsync(mark, Digest.Of(content));
        await Store.DeleteUploadAsync("up", mark.State, None);
        await Store.DeleteUploadAsync("up", null, None);
        Assert.Equal(content, await ReadAsync(place));
        Assert.Single(await ListRawAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("a\0b")]
    [InlineData("é")]
    public async Task A_key_that_is_none_is_refused(string key)
    {
        var digest = Digest.Of(Bytes(1));
        Assert.Throws<ArgumentException>(() => Store.PlaceOf(key, digest));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.OpenUploadAsync(Start(key), None));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.OpenUploadReadAsync(Start(key), None));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.DeleteUploadAsync(key, null, None));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.WriteUploadAsync(key, Bytes(1), None));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.NameUploadAsync(key, digest, None));
    }

    private async Task OpenAndCommitAsync(UploadMark mark)
    {
        // A store may find out at the commit only.
        await using var appender = await Store.OpenUploadAsync(mark, None);
        await appender.CommitAsync(Digest.Of(Bytes(1)), None);
    }

    private static async Task AppendByOneAsync(IUploadAppender appender, byte[] content, int offset, int count)
    {
        for (var i = offset; i < offset + count; i++)
        {
            await appender.AppendAsync(new ReadOnlySequence<byte>(content, i, 1), None);
            Assert.Equal(i + 1, (await appender.SaveAsync(None)).Offset);
        }
    }
}
