using System.Text.Json;
using Berth.Oci;
using Berth.Server.Platform.Data;

namespace Berth.Server.Artifacts;

/// <summary>
/// What belongs to artifacts: referrers, which name their subject, and what clients of cosign's older form put under the tags <c>sha256-HEX.sig</c>,
/// <c>.att</c> and <c>.sbom</c>.
/// </summary>
internal static class Accessories
{
    private static readonly string[] s_endings = [".sig", ".att", ".sbom"];

    /// <summary>Accessories of artifacts by the id of their subject, the oldest first.</summary>
    public static async ValueTask<Dictionary<long, List<AccessoryJson>>> ReadAsync(DbSession session, IReadOnlyList<ArtifactRow> subjects, CancellationToken ct)
    {
        var found = new Dictionary<long, List<AccessoryJson>>();
        foreach (var repository in subjects.GroupBy(s => s.RepositoryId))
        {
            var byDigest = repository.ToDictionary(s => s.Digest, StringComparer.Ordinal);
            await using var rows = await session.Command(
                Select, repository.Key, JsonSerializer.Serialize(byDigest.Keys), JsonSerializer.Serialize(byDigest.Keys.SelectMany(TagsOf))).ExecuteReaderAsync(ct).ConfigureAwait(false);
            while (await rows.ReadAsync(ct).ConfigureAwait(false))
            {
                if (!byDigest.TryGetValue(SubjectOf(rows.GetString(0)), out var subject)) continue;
                if (!found.TryGetValue(subject.Id, out var list)) found.Add(subject.Id, list = []);
                var id = rows.GetInt64(1);
                // One that names its subject and has cosign's tag too comes twice.
                if (list.Exists(a => a.ArtifactId == id)) continue;
                list.Add(new AccessoryJson
                {
                    Id = id,
                    ArtifactId = id,
                    SubjectArtifactId = subject.Id,
                    SubjectArtifactDigest = subject.Digest,
                    SubjectArtifactRepo = subject.Repository,
                    Digest = rows.GetString(2),
                    Type = rows.GetString(3),
                    Size = rows.GetInt64(4),
                    Icon = Icons.DigestOf(rows.GetString(3)),
                    CreationTime = HarborTime.Of(rows.GetInt64(5)),
                });
            }
        }
        return found;
    }

    /// <summary>Digests of what belongs to a manifest in its repository; the index that lists them for older clients is among them.</summary>
    public static async ValueTask<List<string>> DigestsAsync(DbSession session, long repositoryId, string subject, CancellationToken ct)
    {
        var found = new List<string>();
        var names = TagsOf(subject).Append(FallbackTag(subject));
        await using var rows = await session.Command(SelectDigests, repositoryId, subject, JsonSerializer.Serialize(names)).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) found.Add(rows.GetString(0));
        return found;
    }

    private static IEnumerable<string> TagsOf(string digest) => s_endings.Select(ending => FallbackTag(digest) + ending);

    private static string FallbackTag(string digest) => digest.Replace(':', '-');

    // A digest, or a tag of cosign's.
    private static string SubjectOf(string text)
    {
        if (text.Contains(':', StringComparison.Ordinal)) return text;
        var dot = text.LastIndexOf('.');
        return dot > 7 && Digest.TryParse(string.Concat(text.AsSpan(0, 6), ":", text.AsSpan(7, dot - 7)), out var digest) ? digest.Value : "";
    }

    private static readonly Statement Select = new("""
        SELECT m.subject, m.id, m.digest, m.accessory_kind, m.total_size, m.created_at FROM json_each(@1) j
        JOIN manifests m ON m.repository_id = @0 AND m.subject = j.value AND m.subject IS NOT NULL WHERE m.accessory_kind IS NOT NULL
        UNION ALL SELECT t.name, m.id, m.digest, m.accessory_kind, m.total_size, m.created_at FROM json_each(@2) j
        JOIN tags t ON t.repository_id = @0 AND t.name = j.value JOIN manifests m ON m.id = t.manifest_id WHERE m.accessory_kind IS NOT NULL
        ORDER BY 6, 2
        """, """
        SELECT m.subject, m.id, m.digest, m.accessory_kind, m.total_size, m.created_at FROM manifests m
        WHERE m.repository_id = @0 AND m.subject = ANY(ARRAY(SELECT jsonb_array_elements_text(@1::jsonb))) AND m.subject IS NOT NULL AND m.accessory_kind IS NOT NULL
        UNION ALL SELECT t.name, m.id, m.digest, m.accessory_kind, m.total_size, m.created_at FROM tags t JOIN manifests m ON m.id = t.manifest_id
        WHERE t.repository_id = @0 AND t.name = ANY(ARRAY(SELECT jsonb_array_elements_text(@2::jsonb))) AND m.accessory_kind IS NOT NULL
        ORDER BY 6, 2
        """);

    private static readonly Statement SelectDigests = new("""
        SELECT digest FROM manifests WHERE repository_id = @0 AND subject = @1 AND subject IS NOT NULL
        UNION SELECT m.digest FROM json_each(@2) j JOIN tags t ON t.repository_id = @0 AND t.name = j.value JOIN manifests m ON m.id = t.manifest_id
        """, """
        SELECT digest FROM manifests WHERE repository_id = @0 AND subject = @1 AND subject IS NOT NULL
        UNION SELECT m.digest FROM tags t JOIN manifests m ON m.id = t.manifest_id
        WHERE t.repository_id = @0 AND t.name = ANY(ARRAY(SELECT jsonb_array_elements_text(@2::jsonb)))
        """);
}
