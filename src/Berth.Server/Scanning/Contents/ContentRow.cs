using System.Text.Json;
using Berth.Server.Platform.Data;

namespace Berth.Server.Scanning.Contents;

/// <summary>What is known of an image's contents (<see cref="ArtifactContent"/>), without the lists.</summary>
internal sealed record ContentRow(
    long ManifestId, long ScannedAt, string? Platform, string? SourceManifest, string? SourceDocument, int? Secrets, int? Misconfigurations, int BaseLayers, string? BaseName, string? BaseDigest)
{
    /// <summary>Rows of images that were scanned, by manifest.</summary>
    public static async ValueTask<Dictionary<long, ContentRow>> ReadAsync(DbSession session, IEnumerable<long> manifests, CancellationToken ct)
    {
        var found = new Dictionary<long, ContentRow>();
        await using var rows = await session.Command(Select, JsonSerializer.Serialize(manifests)).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            string? Text(int at) => rows.IsDBNull(at) ? null : rows.GetString(at);
            int? Number(int at) => rows.IsDBNull(at) ? null : rows.GetInt32(at);
            found[rows.GetInt64(0)] = new ContentRow(rows.GetInt64(0), rows.GetInt64(1), Text(2), Text(3), Text(4), Number(5), Number(6), rows.GetInt32(7), Text(8), Text(9));
        }
        return found;
    }

    /// <summary>Secrets and problems of an image.</summary>
    public static async ValueTask<StoredProblems> ReadProblemsAsync(DbSession session, long manifest, CancellationToken ct)
    {
        await using var row = await session.Command(SelectProblems, manifest).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return StoredProblems.Unpack(await row.ReadAsync(ct).ConfigureAwait(false) && !row.IsDBNull(0) ? row.GetFieldValue<byte[]>(0) : null);
    }

    private const string Columns =
        "c.manifest_id, c.scanned_at, c.platform, c.source_manifest, c.source_document, c.secrets, c.misconfigurations, c.base_layers, c.base_name, c.base_digest";

    private static readonly Statement Select = new(
        $"SELECT {Columns} FROM json_each(@0) x JOIN artifact_contents c ON c.manifest_id = x.value",
        $"SELECT {Columns} FROM artifact_contents c WHERE c.manifest_id = ANY(ARRAY(SELECT jsonb_array_elements_text(@0::jsonb)::bigint))");

    private static readonly Statement SelectProblems = new("SELECT problems FROM artifact_contents WHERE manifest_id = @0");
}
