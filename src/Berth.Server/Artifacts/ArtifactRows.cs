using System.Data.Common;
using System.Text.Json;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;

namespace Berth.Server.Artifacts;

/// <summary>A manifest with what lists and details show of it, without its bytes.</summary>
internal sealed record ArtifactRow
{
    public long Id { get; init; }

    public long RepositoryId { get; init; }

    public required string Repository { get; init; }

    public long ProjectId { get; init; }

    public required string Digest { get; init; }

    public required string MediaType { get; init; }

    public required string ConfigType { get; init; }

    public string? ArtifactType { get; init; }

    public required string Kind { get; init; }

    public string? AccessoryKind { get; init; }

    public long TotalSize { get; init; }

    public long PushedAt { get; init; }

    public long PulledAt { get; init; }

    public string? Annotations { get; init; }

    /// <summary>See <see cref="ArtifactDetails"/>; null when nobody has asked yet.</summary>
    public string? Details { get; init; }

    public ArchiveState Archive { get; init; }

    public bool IsIndex => MediaTypes.IsIndex(MediaType);
}

/// <summary>Finds manifests by reference and by id.</summary>
internal static class ArtifactRows
{
    /// <summary>The manifest that a tag or digest names in a repository; null when there is none.</summary>
    public static async ValueTask<ArtifactRow?> FindAsync(DbSession session, long repositoryId, string reference, CancellationToken ct)
    {
        var isDigest = Digest.TryParse(reference, out _);
        await using var row = await session.Command(isDigest ? SelectByDigest : SelectByTag, repositoryId, reference).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? Read(row) : null;
    }

    /// <summary>Repository and manifest of a call's path, in one read.</summary>
    public static async ValueTask<(RepositoryPath? Repository, ArtifactRow? Row)> FindAsync(DbSession session, string repository, string reference, CancellationToken ct)
    {
        if (await RepositoryPath.FindAsync(session, repository, ct).ConfigureAwait(false) is not { } path) return (null, null);
        return (path, await FindAsync(session, path.Id, reference, ct).ConfigureAwait(false));
    }

    /// <summary>Manifests of ids, in the order of the ids; those that are gone are left out.</summary>
    public static async ValueTask<List<ArtifactRow>> ReadAsync(DbSession session, IReadOnlyList<long> ids, CancellationToken ct)
    {
        var found = new Dictionary<long, ArtifactRow>(ids.Count);
        await using (var rows = await session.Command(SelectByIds, JsonSerializer.Serialize(ids)).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await rows.ReadAsync(ct).ConfigureAwait(false))
            {
                var row = Read(rows);
                found[row.Id] = row;
            }
        }
        return [.. ids.Where(found.ContainsKey).Select(id => found[id])];
    }

    /// <summary>Bytes and media type of a manifest; null when it is gone.</summary>
    public static async ValueTask<(string MediaType, byte[] Content)?> ReadContentAsync(DbSession session, long id, CancellationToken ct)
    {
        await using var row = await session.Command(SelectContent, id).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? (row.GetString(0), row.GetFieldValue<byte[]>(1)) : null;
    }

    private static ArtifactRow Read(DbDataReader row) => new()
    {
        Id = row.GetInt64(0),
        RepositoryId = row.GetInt64(1),
        Repository = row.GetString(2),
        ProjectId = row.GetInt64(3),
        Digest = row.GetString(4),
        MediaType = row.GetString(5),
        ConfigType = row.GetString(6),
        ArtifactType = row.IsDBNull(7) ? null : row.GetString(7),
        Kind = row.GetString(8),
        AccessoryKind = row.IsDBNull(9) ? null : row.GetString(9),
        TotalSize = row.GetInt64(10),
        PushedAt = row.GetInt64(11),
        PulledAt = row.GetInt64(12),
        Annotations = row.IsDBNull(13) ? null : row.GetString(13),
        Details = row.IsDBNull(14) ? null : row.GetString(14),
        Archive = (ArchiveState)row.GetInt32(15),
    };

    private const string Columns = """
        SELECT m.id, m.repository_id, r.name, r.project_id, m.digest, m.media_type, m.config_type, m.artifact_type, m.kind, m.accessory_kind, m.total_size,
            m.pushed_at, m.pulled_at, m.annotations, m.details, m.archive
        """;

    private static readonly Statement SelectByDigest = new(
        $"{Columns} FROM manifests m JOIN repositories r ON r.id = m.repository_id WHERE m.repository_id = @0 AND m.digest = @1");

    private static readonly Statement SelectByTag = new($"""
        {Columns} FROM tags t JOIN manifests m ON m.id = t.manifest_id JOIN repositories r ON r.id = m.repository_id WHERE t.repository_id = @0 AND t.name = @1
        """);

    private static readonly Statement SelectByIds = new(
        $"{Columns} FROM json_each(@0) j JOIN manifests m ON m.id = j.value JOIN repositories r ON r.id = m.repository_id",
        $"""
        {Columns} FROM manifests m JOIN repositories r ON r.id = m.repository_id
        WHERE m.id = ANY(ARRAY(SELECT jsonb_array_elements_text(@0::jsonb)::bigint))
        """);

    private static readonly Statement SelectContent = new("SELECT media_type, content FROM manifests WHERE id = @0");
}
