using Berth.Oci;
using Berth.Server.Adoption;
using Berth.Server.Platform.Data;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Server.Tests.Adoption;

public sealed class AdoptTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly RegistryLayout _layout = RegistryLayout.OfEveryKind();

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    public void Dispose() => _layout.Dispose();

    [Theory, MemberData(nameof(Kinds))]
    public async Task Everything_in_the_folder_is_adopted_and_nothing_in_it_is_changed(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        var before = _layout.Listing();

        var report = await AdoptAsync(database);

        Assert.Equal(before, _layout.Listing());
        Assert.Empty(report.Findings);
        Assert.Equal(report.Found, report.Added);
        var files = Directory.GetFiles(_layout.Paths.Blobs, "data", SearchOption.AllDirectories);
        Assert.Equal((files.Length, _layout.StoredBytes()), (report.Found.Blobs, report.Found.Bytes));
        Assert.Equal(Files("_manifests/revisions", "link").Length, report.Found.Manifests);
        Assert.Equal(Files("_layers", "link").Length, report.Found.Links);
        var tags = Files("_manifests/tags", "link").Where(f => f.Contains("/current/", StringComparison.Ordinal)).ToArray();
        Assert.Equal(tags.Length, report.Found.Tags);
        var known = (await StoredState.RowsAsync(database.Current, "SELECT r.name, t.name, m.digest FROM tags t JOIN repositories r ON r.id = t.repository_id JOIN manifests m ON m.id = t.manifest_id"))
            .Select(row => $"{row[0]}/_manifests/tags/{row[1]}/current/link {row[2]}");
        Assert.Equal(tags.Select(f => $"{Path.GetRelativePath(_layout.Paths.Repositories, f)} {File.ReadAllText(f)}").Order(), known.Order());
        await StoredState.CheckPullableAsync(database.Current, _layout.Paths);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Types_subjects_and_fallback_tags_become_what_a_push_would_have_recorded(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await AdoptAsync(database);

        var types = await StoredState.RowsAsync(database.Current, "SELECT DISTINCT m.media_type FROM manifests m JOIN repositories r ON r.id = m.repository_id WHERE r.name = 'untyped' ORDER BY 1");
        Assert.Equal([MediaTypes.OciIndex, MediaTypes.OciManifest], types.Select(row => row[0]));
        var referrers = await StoredState.RowsAsync(database.Current, """
            SELECT m.annotations FROM manifests m JOIN manifests s ON s.digest = m.subject AND s.repository_id = m.repository_id
            JOIN tags t ON t.manifest_id = s.id WHERE t.name = 'v1' ORDER BY m.annotations IS NULL
            """);
        Assert.Equal(["{\"about\":\"referrer\"}", "-"], referrers.Select(row => row[0]));
        Assert.Equal(["adoption"], (await StoredState.RowsAsync(database.Current, "SELECT DISTINCT actor FROM tag_history")).Select(row => row[0]));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_second_adoption_changes_nothing_and_picks_up_what_is_new(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await AdoptAsync(database);
        var first = await StoredState.DumpAsync(database.Current);

        var second = await AdoptAsync(database);
        Assert.Equal(first, await StoredState.DumpAsync(database.Current));
        Assert.Equal(new AdoptionCounts(0, 0, 0, 0, 0, 0), second.Added);

        _layout.Tag("team/app-0", "latest", _layout.Image("team/app-0", "newer"));
        _layout.Image("team/brand-new", "first", "v1");
        var third = await AdoptAsync(database);
        Assert.Equal((1, 2, 2), (third.Added.Repositories, third.Added.Tags, third.Added.Manifests));
        var history = await StoredState.RowsAsync(database.Current, "SELECT digest, previous_digest FROM tag_history WHERE name = 'latest' AND previous_digest IS NOT NULL");
        Assert.Equal(Digest.Of(System.Text.Encoding.UTF8.GetBytes(_layout.ImageJson("team/app-0", "newer"))).Value, Assert.Single(history)[0]);
        await StoredState.CheckPullableAsync(database.Current, _layout.Paths);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Missing_and_damaged_content_is_reported_and_passed_over(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        using var layout = new RegistryLayout();
        layout.Image("good", "good", "v1");
        var lost = Digest.Of("lost"u8);
        layout.Revision("bad", lost);
        layout.Link("bad", lost);
        layout.Tag("bad", "lost", lost);
        layout.Manifest("bad", "not JSON", "invalid");
        layout.Manifest("bad", "{\"schemaVersion\":1,\"name\":\"x\",\"tag\":\"y\"}", "schema1");
        var swapped = layout.Image("bad", "swapped", "swapped");
        layout.Write(layout.Paths.Content(swapped), "other bytes"u8.ToArray());
        layout.WriteLink($"bad/_manifests/revisions/sha256/{lost.Hex[..63]}0", "");
        layout.WriteLink("bad/_manifests/tags/empty/current", "");
        layout.WriteLink("bad/_manifests/tags/-bad/current", lost.Value);
        layout.WriteLink("Upper/_layers/sha256/x", "");
        var incomplete = layout.Image("bad", "incomplete", "incomplete");
        File.Delete(layout.Paths.Content(Digest.Of("layer of incomplete"u8)));
        // What deleting leaves: folders without a link.
        Directory.CreateDirectory(Path.Join(layout.Paths.Repositories, $"bad/_manifests/revisions/sha256/{new string('a', 64)}"));
        Directory.CreateDirectory(Path.Join(layout.Paths.Repositories, $"bad/_layers/sha256/{new string('b', 64)}"));
        Directory.CreateDirectory(Path.Join(layout.Paths.Repositories, "bad/_manifests/tags/deleted"));

        var report = await Adopt.RunAsync(database.Current, AdoptionSource.InFolder(layout.Root), new AdoptionOptions(), _time, null, CancellationToken.None);

        string[] expected =
        [
            $"link bad@{lost}", $"link bad@{Digest.Of("layer of incomplete"u8)}",
            $"manifest bad@{lost}", $"manifest bad@{Digest.Of("not JSON"u8)}", $"manifest bad@{Digest.Of("{\"schemaVersion\":1,\"name\":\"x\",\"tag\":\"y\"}"u8)}",
            $"manifest bad@{swapped}", $"manifest bad@sha256:{lost.Hex[..63]}0", $"manifest bad@{incomplete}", "repository Upper",
            "tag bad:-bad", "tag bad:empty", "tag bad:invalid", "tag bad:lost", "tag bad:schema1", "tag bad:swapped",
        ];
        Assert.Equal(expected.Order(StringComparer.Ordinal), report.Findings.Select(f => $"{f.Kind} {f.Name}").Order(StringComparer.Ordinal));
        var adopted = Assert.Single(report.Findings, f => f.IsAdopted);
        Assert.Equal(($"bad@{incomplete}", $"{Digest.Of("layer of incomplete"u8)} is missing"), (adopted.Name, adopted.Reason));
        Assert.Equal((1, report.Findings.Count - 1), (report.Incomplete, report.Skipped));
        Assert.Contains(report.Findings, f => f.Reason.StartsWith("schema 1 manifests are not supported", StringComparison.Ordinal));
        Assert.Equal(2, report.Found.Tags);
        Assert.Contains("\"skipped\": 14", report.ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verifying_reads_every_blob_and_leaves_out_the_damaged()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        var damaged = _layout.Blob("will be damaged");
        _layout.Write(_layout.Paths.Content(damaged), "was damaged.txt"u8.ToArray());

        var report = await Adopt.RunAsync(database.Current, AdoptionSource.InFolder(_layout.Root), new AdoptionOptions { Verify = true }, _time, null, CancellationToken.None);

        var finding = Assert.Single(report.Findings);
        Assert.Equal(("blob", damaged.Value), (finding.Kind, finding.Name));
        Assert.True(report.IsVerified);
        await StoredState.CheckPullableAsync(database.Current, _layout.Paths);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Cut_off_anywhere_and_run_again_it_ends_the_same(DatabaseKind kind)
    {
        string whole;
        await using (var database = await TestDatabase.NewAsync(kind))
        {
            await AdoptAsync(database);
            whole = await StoredState.DumpAsync(database.Current);
        }
        var steps = 0;
        for (var cutAt = 1; cutAt < 200; cutAt += 1 + (cutAt / 4))
        {
            await using var database = await TestDatabase.NewAsync(kind);
            var small = new AdoptionOptions { BatchSize = 4 };
            var cut = new CutOff(cutAt);
            var isCut = await Record.ExceptionAsync(() => Adopt.RunAsync(database.Current, AdoptionSource.InFolder(_layout.Root), small, _time, cut, CancellationToken.None)) is not null;
            Assert.Equal(isCut, new AdoptionMark(_layout.Paths).IsSet);
            await StoredState.CheckBytesAsync(database.Current, _layout.Paths);
            await Adopt.RunAsync(database.Current, AdoptionSource.InFolder(_layout.Root), small, _time, null, CancellationToken.None);
            Assert.Equal(whole, await StoredState.DumpAsync(database.Current));
            if (!isCut) break;
            steps++;
        }
        Assert.True(steps > 5, $"only {steps} steps were cut off");
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Tags_that_Berth_has_moved_or_deleted_since_stay_so(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await AdoptAsync(database);
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        await StoredState.ExecuteAsync(database.Current, $"""
            UPDATE tags SET updated_at = {now}, manifest_id = (SELECT m.id FROM manifests m WHERE m.repository_id = tags.repository_id AND m.id <> tags.manifest_id ORDER BY m.digest LIMIT 1) WHERE name = 'latest'
            """);
        await StoredState.ExecuteAsync(database.Current, $"""
            INSERT INTO tag_history (repository_id, name, digest, previous_digest, actor, at, address)
            SELECT t.repository_id, t.name, NULL, m.digest, 'someone', {now}, '' FROM tags t JOIN manifests m ON m.id = t.manifest_id WHERE t.name = 'v1'
            """);
        await StoredState.ExecuteAsync(database.Current, "DELETE FROM tags WHERE name = 'v1'");
        var before = await StoredState.DumpAsync(database.Current);

        await AdoptAsync(database);

        Assert.Equal(before, await StoredState.DumpAsync(database.Current));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_first_start_adopts_and_later_starts_do_not(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        Assert.NotNull(await FirstStartAsync(database));
        Assert.True(File.Exists(Path.Join(_layout.Root, "berth/adoption-report.json")));
        _layout.Image("later", "later", "v1");
        Assert.Null(await FirstStartAsync(database));
        new AdoptionMark(_layout.Paths).Set();
        Assert.Equal(1, (await FirstStartAsync(database))!.Added.Repositories);
        Assert.Null(await FirstStartAsync(database));
    }

    [Fact]
    public async Task The_first_start_on_an_empty_folder_does_nothing()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        using var empty = new RegistryLayout();
        Assert.Null(await AdoptOnFirstStart.RunAsync(database.Current, AdoptionSource.InFolder(empty.Root), new AdoptionOptions(), _time, NullLogger.Instance, CancellationToken.None));
        Assert.False(new AdoptionMark(empty.Paths).IsSet);
    }

    private Task<AdoptionReport> AdoptAsync(TestDatabase database) =>
        Adopt.RunAsync(database.Current, AdoptionSource.InFolder(_layout.Root), new AdoptionOptions { BatchSize = 7 }, _time, null, CancellationToken.None);

    private Task<AdoptionReport?> FirstStartAsync(TestDatabase database) =>
        AdoptOnFirstStart.RunAsync(database.Current, AdoptionSource.InFolder(_layout.Root), new AdoptionOptions(), _time, NullLogger.Instance, CancellationToken.None);

    private string[] Files(string folder, string name) =>
        [.. Directory.GetFiles(_layout.Paths.Repositories, name, SearchOption.AllDirectories).Where(f => f.Contains($"/{folder}/", StringComparison.Ordinal))];

    private sealed class CutOff(int at) : IProgress<AdoptionProgress>
    {
        private int _told;

        public void Report(AdoptionProgress value)
        {
            if (++_told >= at && value.Phase != AdoptionPhase.Done) throw new OperationCanceledException("cut off");
        }
    }
}
