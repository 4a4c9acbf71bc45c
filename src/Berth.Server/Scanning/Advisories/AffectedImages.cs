using System.Data.Common;
using System.Text.Json;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Matching;
using Berth.Server.Platform.Data;
using Berth.Server.Scanning.Findings;

namespace Berth.Server.Scanning.Advisories;

/// <summary>What differs between two advisory databases, as far as it can change reports.</summary>
/// <param name="Keys">Packages with other advisories.</param>
/// <param name="Flaws">Flaws with another description, severity or score.</param>
/// <param name="IsEverything">So much differs that all images are judged again.</param>
/// <param name="HasOtherProducts">Red Hat's content sets stand for other products: all its packages are judged again.</param>
internal sealed record AdvisoryDifference(IReadOnlyCollection<MatchKey> Keys, IReadOnlyCollection<string> Flaws, bool IsEverything, bool HasOtherProducts = false)
{
    /// <summary>Everything may differ.</summary>
    public static AdvisoryDifference Everything { get; } = new([], [], IsEverything: true);

    /// <summary>Packages, and flaws, beyond which looking for images costs more than judging all of them.</summary>
    public const int MaxCompared = 100_000;

    /// <summary>Compares two databases in one pass over both.</summary>
    public static AdvisoryDifference Between(AdvisoryDatabase older, AdvisoryDatabase newer)
    {
        var (keys, flaws) = (new HashSet<MatchKey>(), new HashSet<string>(StringComparer.Ordinal));
        foreach (var change in AdvisoryChanges.Between(older, newer))
        {
            if (MatchKey.Of(change.Bucket, change.Package) is { Scope.Length: > 0 } key) keys.Add(key);
            if (keys.Count > MaxCompared) return Everything;
        }
        foreach (var flaw in AdvisoryChanges.Details(older, newer))
        {
            flaws.Add(flaw);
            if (flaws.Count > MaxCompared) return Everything;
        }
        flaws.UnionWith([.. AdvisoryChanges.Namesakes(newer, flaws)]);
        return new AdvisoryDifference(keys, flaws, IsEverything: false, AdvisoryChanges.HaveOtherProducts(older, newer));
    }
}

/// <summary>Finds the images that a difference between advisory databases can touch: by the package index, and by the flaws that reports have.</summary>
internal static class AffectedImages
{
    private const int KeysAtOnce = 500;
    private const int FlawsAtOnce = 1000;
    private const int Page = 50_000;

    /// <summary>The images, by their rows. Eight bytes an image are held in memory.</summary>
    public static async Task<HashSet<long>> FindAsync(Database database, AdvisoryDifference difference, CancellationToken ct)
    {
        var found = new HashSet<long>();
        foreach (var keys in difference.Keys.Chunk(KeysAtOnce))
            await AllAsync((session, after, token) => PackageIndex.ManifestsWithAsync(session, keys, after, Page, token)).ConfigureAwait(false);
        foreach (var flaws in difference.Flaws.Chunk(FlawsAtOnce))
        {
            var json = JsonSerializer.Serialize(flaws, FindingRowJson.Default.IReadOnlyListString);
            await AllAsync((session, after, token) => WithFlawsAsync(session, json, after, token)).ConfigureAwait(false);
        }
        if (difference.HasOtherProducts) await AllAsync(OfRedHatAsync).ConfigureAwait(false);
        return found;

        async Task AllAsync(Func<DbSession, long, CancellationToken, ValueTask<List<long>>> read)
        {
            for (long after = 0; ;)
            {
                var page = await database.ReadAsync((read, after), static (session, q, token) => q.read(session, q.after, token), ct).ConfigureAwait(false);
                found.UnionWith(page);
                if (page.Count < Page) return;
                after = page[^1];
            }
        }
    }

    private static ValueTask<List<long>> WithFlawsAsync(DbSession session, string json, long after, CancellationToken ct) => ReadAsync(session.Command(SelectWithFlaws, json, after, (long)Page), ct);

    // The one scope of all its releases (MatchKey).
    private static ValueTask<List<long>> OfRedHatAsync(DbSession session, long after, CancellationToken ct) => ReadAsync(session.Command(SelectOfScope, "redhat", after, (long)Page), ct);

    private static async ValueTask<List<long>> ReadAsync(DbCommand command, CancellationToken ct)
    {
        var found = new List<long>();
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) found.Add(rows.GetInt64(0));
        return found;
    }

    private static readonly Statement SelectOfScope = new("""
        SELECT DISTINCT a.manifest_id FROM packages p JOIN artifact_packages a ON a.package_id = p.id WHERE p.scope = @0 AND a.manifest_id > @1 ORDER BY 1 LIMIT @2
        """);

    private static readonly Statement SelectWithFlaws = new("""
        SELECT DISTINCT f.manifest_id FROM artifact_findings f WHERE f.vulnerability IN (SELECT value FROM json_each(@0)) AND f.manifest_id > @1 ORDER BY 1 LIMIT @2
        """, """
        SELECT DISTINCT f.manifest_id FROM artifact_findings f WHERE f.vulnerability = ANY(ARRAY(SELECT jsonb_array_elements_text(@0::jsonb))) AND f.manifest_id > @1 ORDER BY 1 LIMIT @2
        """);
}
