using Berth.Blobs;
using Berth.Blobs.FileSystem;
using Berth.Oci;
using Berth.Server.Adoption;
using Berth.Server.GarbageCollection;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Adoption;
using Berth.Server.Tests.Platform.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Server.Tests.GarbageCollection;

public sealed class OfflineCollectionTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly RegistryLayout _layout = RegistryLayout.OfEveryKind();
    private readonly StringWriter _output = new() { NewLine = "\n" };

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    private FileSystemBlobStore Store => new(_layout.Root, 0, _time);

    public void Dispose()
    {
        _layout.Dispose();
        _output.Dispose();
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Without_options_all_manifests_stay_and_only_what_none_needs_goes(DatabaseKind kind)
    {
        await using var database = await AdoptedAsync(kind);
        var loose = Digest.Of("nobody links this"u8);
        var linked = Digest.Of("512"u8, DigestAlgorithm.Sha512);
        var manifests = await CountAsync(database, "manifests");
        var before = _layout.StoredBytes();

        var report = await CollectAsync(database, new CollectionOptions());

        Assert.Equal((0, 2, 17 + 3), (report.Manifests, report.Blobs, report.FreedBytes));
        Assert.Equal(report.FreedBytes, before - _layout.StoredBytes());
        Assert.False(Directory.Exists(_layout.Paths.ContentFolder(loose)));
        Assert.False(Directory.Exists(_layout.Paths.ContentFolder(linked)));
        Assert.Equal(manifests, await CountAsync(database, "manifests"));
        Assert.Equal(0, await CountAsync(database, "uploads"));
        await StoredState.CheckPullableAsync(database.Current, _layout.Paths);
        var again = await CollectAsync(database, new CollectionOptions());
        Assert.Equal((0, 0, 0, report.Marked), (again.Manifests, again.Blobs, again.FreedBytes, again.Marked));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Deleting_untagged_keeps_children_of_indexes_and_referrers_of_what_stays(DatabaseKind kind)
    {
        await using var database = await AdoptedAsync(kind);
        var before = _layout.StoredBytes();

        var report = await CollectAsync(database, new CollectionOptions { DeleteUntagged = true });

        // "untagged" of team/app-0 alone: the referrers have a subject, the children an index.
        Assert.Equal(1, report.Manifests);
        var untagged = Digest.Of(System.Text.Encoding.UTF8.GetBytes(_layout.ImageJson("team/app-0", "untagged")));
        Assert.Contains($"manifest eligible for deletion: {untagged}\n", _output.ToString(), StringComparison.Ordinal);
        // With its own bytes, its configuration and its own layer; the layer below is shared. The line above wrote the last two again.
        Assert.Equal(2 + 3, report.Blobs);
        Assert.False(File.Exists(_layout.Paths.Content(untagged)));
        Assert.True(report.FreedBytes > 20 && report.FreedBytes < before);
        Assert.Equal(2, (await StoredState.RowsAsync(database.Current, "SELECT subject FROM manifests WHERE subject IS NOT NULL")).Count);
        await StoredState.CheckPullableAsync(database.Current, _layout.Paths);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_dry_run_tells_exactly_what_a_collection_removes_and_removes_nothing(DatabaseKind kind)
    {
        var random = new Random(20261);
        for (var round = 0; round < 4; round++)
        {
            using var layout = new RegistryLayout();
            var expected = RandomGraph(layout, random);
            await using var database = await TestDatabase.NewAsync(kind);
            await Adopt.RunAsync(database.Current, AdoptionSource.InFolder(layout.Root), new AdoptionOptions(), _time, null, CancellationToken.None);
            var (rows, files) = (await StoredState.DumpAsync(database.Current), layout.Listing());
            var store = new FileSystemBlobStore(layout.Root, 0, _time);
            var options = new CollectionOptions { DeleteUntagged = true, BatchSize = 5 };

            var dry = new StringWriter();
            var told = await OfflineCollection.RunAsync(database.Current, StoreWrapper.Alone(store), layout.Root, options with { DryRun = true }, dry, _time, CancellationToken.None);
            Assert.Equal(rows, await StoredState.DumpAsync(database.Current));
            Assert.Equal(files.Length, layout.Listing().Replace($"\n{layout.Paths.AlgorithmFolder(DigestAlgorithm.Sha512)}", "", StringComparison.Ordinal).Length);

            var before = layout.StoredBytes();
            var real = new StringWriter();
            var done = await OfflineCollection.RunAsync(database.Current, StoreWrapper.Alone(store), layout.Root, options, real, _time, CancellationToken.None);
            Assert.Equal(told with { IsDryRun = false }, done);
            Assert.Equal(before - layout.StoredBytes(), done.FreedBytes);
            Assert.Equal(Lines(dry), Lines(real));
            Assert.Equal(expected, (await StoredState.RowsAsync(database.Current, "SELECT digest FROM manifests")).Select(row => (string)row[0]!).Order(StringComparer.Ordinal));
            await StoredState.CheckPullableAsync(database.Current, layout.Paths);
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Cut_off_anywhere_no_blob_is_without_bytes_and_the_next_run_finishes(DatabaseKind kind)
    {
        string whole;
        await using (var database = await AdoptedAsync(kind))
        {
            await CollectAsync(database, Everything);
            whole = await StoredState.DumpAsync(database.Current);
        }
        for (var cut = 0; cut < 15; cut++)
        {
            using var layout = RegistryLayout.OfEveryKind();
            await using var database = await TestDatabase.NewAsync(kind);
            await Adopt.RunAsync(database.Current, AdoptionSource.InFolder(layout.Root), new AdoptionOptions(), _time, null, CancellationToken.None);
            var store = new FileSystemBlobStore(layout.Root, 0, _time);
            var before = layout.StoredBytes();
            // Either the store fails at a removal, or the output when a certain line is written.
            IBlobStore faulty = cut < 8 ? new FaultyStore(store, 1 + (cut / 2), cut % 2 == 0) : store;
            TextWriter output = cut < 8 ? TextWriter.Null : new BrokenWriter(cut - 7);
            await Assert.ThrowsAsync<IOException>(() => OfflineCollection.RunAsync(database.Current, StoreWrapper.Alone(faulty), layout.Root, Everything, output, _time, CancellationToken.None));
            await StoredState.CheckPullableAsync(database.Current, layout.Paths);

            await OfflineCollection.RunAsync(database.Current, StoreWrapper.Alone(store), layout.Root, Everything, TextWriter.Null, _time, CancellationToken.None);

            Assert.Equal(whole, await StoredState.DumpAsync(database.Current));
            Assert.Equal(_layout.StoredBytes(), layout.StoredBytes());
            Assert.True(before > layout.StoredBytes());
            await StoredState.CheckPullableAsync(database.Current, layout.Paths);
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task What_a_killed_collection_left_is_removed_by_the_server(DatabaseKind kind)
    {
        await using var database = await AdoptedAsync(kind);
        await Assert.ThrowsAsync<IOException>(() =>
            OfflineCollection.RunAsync(database.Current, new FaultyStore(Store, 1, isRemovedFirst: false).Alone(), _layout.Root, new CollectionOptions(), TextWriter.Null, _time, CancellationToken.None));
        Assert.True(await CountAsync(database, "blob_removals") > 0);
        var bytes = new ByteRemoval(database.Current, StoreWrapper.Alone(Store), _time, NullLogger<ByteRemoval>.Instance);

        Assert.True((await bytes.RunAsync(100, CancellationToken.None))!.Bytes > 0);

        Assert.Equal(0, await CountAsync(database, "blob_removals"));
        Assert.False(File.Exists(_layout.Paths.Content(Digest.Of("nobody links this"u8))));
        await StoredState.CheckPullableAsync(database.Current, _layout.Paths);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Recent_pushes_links_and_commits_in_flight_are_kept(DatabaseKind kind)
    {
        await using var database = await AdoptedAsync(kind);
        var recent = _time.GetUtcNow().AddMinutes(-30).ToUnixTimeMilliseconds();
        await StoredState.ExecuteAsync(database.Current, $"UPDATE repository_blobs SET linked_at = {recent} WHERE blob_id IN (SELECT id FROM blobs WHERE digest LIKE 'sha512:%')");
        await StoredState.ExecuteAsync(database.Current, $"UPDATE manifests SET pushed_at = {recent}");
        await StoredState.ExecuteAsync(database.Current, $"""
            INSERT INTO uploads (id, repository, owner, algorithm, committing_digest, byte_offset, started_at, updated_at)
            VALUES ('in-flight', 'team/app-0', 'someone', 'sha256', '{Digest.Of("nobody links this"u8)}', 17, {recent}, {recent})
            """);

        var kept = await CollectAsync(database, new CollectionOptions { DeleteUntagged = true, Grace = TimeSpan.FromHours(1) });
        Assert.Equal((0, 0, 0), (kept.Manifests, kept.Blobs, kept.FreedBytes));

        var later = await CollectAsync(database, new CollectionOptions { DeleteUntagged = true });
        Assert.Equal(1, later.Manifests);
        Assert.True(File.Exists(_layout.Paths.Content(Digest.Of("nobody links this"u8))));
        Assert.False(File.Exists(_layout.Paths.Content(Digest.Of("512"u8, DigestAlgorithm.Sha512))));
        await StoredState.CheckPullableAsync(database.Current, _layout.Paths);
    }

    [Fact]
    public async Task Nothing_is_collected_while_an_adoption_is_unfinished()
    {
        await using var database = await AdoptedAsync(DatabaseKind.Sqlite);
        new AdoptionMark(_layout.Paths).Set();
        await Assert.ThrowsAsync<CollectionRefusedException>(() => CollectAsync(database, Everything));
    }

    [Fact]
    public async Task The_output_has_the_lines_of_Docker_Registry()
    {
        using var layout = new RegistryLayout();
        var image = layout.Image("team/app", "one", "v1");
        var loose = layout.Blob("loose");
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        await Adopt.RunAsync(database.Current, AdoptionSource.InFolder(layout.Root), new AdoptionOptions(), _time, null, CancellationToken.None);
        var store = new FileSystemBlobStore(layout.Root, 0, _time);

        await OfflineCollection.RunAsync(database.Current, StoreWrapper.Alone(store), layout.Root, new CollectionOptions { DryRun = true }, _output, _time, CancellationToken.None);

        var blobs = new[] { "{\"config\":\"one\"}", "base of team/app", "layer of one" }
            .Select(text => Digest.Of(System.Text.Encoding.UTF8.GetBytes(text)).Value).Order(StringComparer.Ordinal)
            .Select(digest => $"team/app: marking blob {digest}");
        Assert.Equal(
            ["team/app", $"team/app: marking manifest {image}", .. blobs, "", "4 blobs marked, 1 blobs and 0 manifests eligible for deletion", $"blob eligible for deletion: {loose}", "5 bytes would be freed", ""],
            _output.ToString().Split('\n'));

        _output.GetStringBuilder().Clear();
        await OfflineCollection.RunAsync(database.Current, StoreWrapper.Alone(store), layout.Root, new CollectionOptions { Quiet = true }, _output, _time, CancellationToken.None);
        Assert.Equal("", _output.ToString());
        Assert.False(File.Exists(layout.Paths.Content(loose)));
    }

    private static CollectionOptions Everything => new() { DeleteUntagged = true, BatchSize = 2 };

    // Images, indexes of earlier manifests and referrers, some tagged; the digests that a tag leads to, in order.
    private static IEnumerable<string> RandomGraph(RegistryLayout layout, Random random)
    {
        var known = new List<(Digest Digest, Digest[] Children, Digest Subject, bool IsTagged)>();
        for (var i = 0; i < 40; i++)
        {
            var tags = random.Next(6) == 0 ? new[] { $"t{i}" } : [];
            Digest Any() => known[random.Next(known.Count)].Digest;
            if (i < 4 || random.Next(2) == 0)
            {
                var subject = i >= 4 && random.Next(2) == 0 ? Any() : default;
                known.Add((layout.Manifest("graph", layout.ImageJson("graph", $"image {i}", subject), tags), [], subject, tags.Length > 0));
            }
            else
            {
                var children = new[] { Any(), Any() }.Distinct().ToArray();
                var index = layout.Index("graph", children, tags);
                if (known.TrueForAll(k => k.Digest != index)) known.Add((index, children, default, tags.Length > 0));
                else if (tags.Length > 0) known[known.FindIndex(k => k.Digest == index)] = (index, children, default, true);
            }
        }
        var kept = known.Where(k => k.IsTagged).Select(k => k.Digest).ToHashSet();
        while (known.Where(k => kept.Contains(k.Subject)).Select(k => k.Digest).Concat(known.Where(k => kept.Contains(k.Digest)).SelectMany(k => k.Children)).ToList().Any(kept.Add)) continue;
        return kept.Select(k => k.Value).Order(StringComparer.Ordinal);
    }

    // The real run tells manifests round by round; what is told of each is the same.
    private static IEnumerable<string> Lines(StringWriter writer) =>
        writer.ToString().Split('\n').Where(line => !line.Contains("bytes", StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    private async Task<TestDatabase> AdoptedAsync(DatabaseKind kind)
    {
        var database = await TestDatabase.NewAsync(kind);
        await Adopt.RunAsync(database.Current, AdoptionSource.InFolder(_layout.Root), new AdoptionOptions(), _time, null, CancellationToken.None);
        return database;
    }

    private Task<CollectionReport> CollectAsync(TestDatabase database, CollectionOptions options) =>
        OfflineCollection.RunAsync(database.Current, StoreWrapper.Alone(Store), _layout.Root, options, _output, _time, CancellationToken.None);

    private static async Task<long> CountAsync(TestDatabase database, string table) =>
        Convert.ToInt64((await StoredState.RowsAsync(database.Current, $"SELECT count(*) FROM {table}"))[0][0]);

    private sealed class BrokenWriter(int at) : StringWriter
    {
        private int _eligible;

        public override Task WriteLineAsync(string? value) =>
            value!.Contains("eligible", StringComparison.Ordinal) && ++_eligible == at ? Task.FromException(new IOException("the output was closed")) : Task.CompletedTask;
    }
}
