using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Berth.Oci;
using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Registry;

namespace Berth.Server.Scanning.Sboms;

/// <summary>
/// Keeps bills of materials where everybody finds them: as an OCI manifest whose subject is the image (OCI distribution specification, "Listing Referrers"). It is written by the steps of a push, but
/// is none: no event tells of it, so nothing scans or replicates it by itself.
/// </summary>
internal sealed class SbomStore(Database database, OwnBlobs blobs, ManifestCommit commit, ContentCache cache, TimeProvider time)
{
    /// <summary>What tells manifests that this server made from those that others pushed, in their annotations.</summary>
    public const string Mark = $"\"{CreatedBy}\":\"{BuiltInScanner.Name}\"";

    private const string CreatedBy = "created-by";
    private const string Actor = "berth";
    private static readonly byte[] s_emptyConfig = "{}"u8.ToArray();

    /// <summary>
    /// Attaches a document to an image, in the place of the one that was attached before. The same document is the same manifest: attaching it again changes nothing.
    /// </summary>
    /// <param name="target">The image.</param>
    /// <param name="document">The document, SPDX.</param>
    /// <param name="created">When the image came; part of the manifest.</param>
    /// <param name="jobId">The job that asks: a newer one's row is left alone.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>Digest of the manifest, null when the image is gone; and why it could not be written, such as a quota.</returns>
    public async Task<(Digest? Digest, string? Problem)> AttachAsync(ScanTarget target, byte[] document, DateTimeOffset created, long jobId, CancellationToken ct)
    {
        var content = ManifestOf(target, document, created);
        var digest = Digest.Of(content);
        if (!ManifestReader.TryRead(content, MediaTypes.OciManifest, out var manifest, out var wrong)) throw new InvalidOperationException($"the manifest is not what it should be: {wrong}");
        if (!await IsThereAsync(target.Repository, digest, ct).ConfigureAwait(false)
            && (await blobs.StoreAsync(target.Repository, s_emptyConfig, ct).ConfigureAwait(false) is null || await blobs.StoreAsync(target.Repository, document, ct).ConfigureAwait(false) is null))
            return (null, null);
        var change = new ManifestChange(digest, manifest, content, [], new TagCondition(null, false));
        // No seed: a project that is gone is not made again for it.
        var rights = new RepositoryRights(target.Repository, null, null, RuleActions.Pull | RuleActions.Push, null);
        var writing = new ManifestTarget(rights, Actor, "", EventActor.System);
        return await database.WriteAsync<(Digest?, string?)>(Durability.Full, async (session, token) =>
        {
            var outcome = await commit.WriteAsync(session, writing, change, null, token).ConfigureAwait(false);
            if (outcome.Error is { } error)
            {
                session.Rollback();
                return (null, $"{error.Message}: {string.Join(", ", outcome.Details)}");
            }
            // The repository is held: from here on the image stays, or was gone before.
            if (await FindAsync(session, target.Id, token).ConfigureAwait(false) is not var (repositoryId, before))
            {
                session.Rollback();
                return (null, null);
            }
            if (before is not null && before != digest.Value) await RemoveAsync(session, repositoryId, target.Repository, Digest.Parse(before), token).ConfigureAwait(false);
            await session.ExecuteAsync(Finish, [target.Id, jobId, time.GetUtcNow().ToUnixTimeMilliseconds(), digest.Value], token).ConfigureAwait(false);
            return (digest, null);
        }, ct).ConfigureAwait(false);
    }

    private static byte[] ManifestOf(ScanTarget target, byte[] document, DateTimeOffset created)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteNumber("schemaVersion", 2);
            json.WriteString("mediaType", MediaTypes.OciManifest);
            json.WriteString("artifactType", SbomDocuments.ArtifactType);
            json.WritePropertyName("config");
            // Harbor knows the kind of an artifact by this type.
            Write(json, SbomDocuments.ArtifactType, Digest.Of(s_emptyConfig).Value, s_emptyConfig.Length, null);
            json.WriteStartArray("layers");
            Write(json, SbomDocuments.MediaTypeOf(SbomFormat.Spdx), Digest.Of(document).Value, document.Length, SbomDocuments.FileNameOf(SbomFormat.Spdx));
            json.WriteEndArray();
            json.WritePropertyName("subject");
            Write(json, target.MediaType, target.Digest, target.Content.Length, null);
            json.WriteStartObject("annotations");
            json.WriteString(CreatedBy, BuiltInScanner.Name);
            json.WriteString("org.opencontainers.artifact.description", "SPDX JSON SBOM");
            json.WriteString("org.opencontainers.image.created", created.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }

    private static void Write(Utf8JsonWriter json, string mediaType, string digest, long size, string? title)
    {
        json.WriteStartObject();
        json.WriteString("mediaType", mediaType);
        json.WriteString("digest", digest);
        json.WriteNumber("size", size);
        if (title is not null)
        {
            json.WriteStartObject("annotations");
            json.WriteString("org.opencontainers.image.title", title);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private ValueTask<bool> IsThereAsync(string repository, Digest digest, CancellationToken ct) => database.ReadAsync(
        (repository, digest), static async (session, q, token) => await session.ScalarAsync(SelectManifest, [q.repository, q.digest.Value], token).ConfigureAwait(false) is not null, ct);

    private static async ValueTask<(long RepositoryId, string? Before)?> FindAsync(DbSession session, long manifestId, CancellationToken ct)
    {
        await using var row = await session.Command(SelectImage, manifestId).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? (row.GetInt64(0), row.IsDBNull(1) ? null : row.GetString(1)) : null;
    }

    // One that somebody tagged or that is archived is theirs now.
    private async ValueTask RemoveAsync(DbSession session, long repositoryId, string repository, Digest digest, CancellationToken ct)
    {
        if (await session.ScalarAsync(SelectReplaced, [repositoryId, digest.Value], ct).ConfigureAwait(false) is not { } old) return;
        await ManifestRemoval.RemoveAsync(session, repositoryId, [old], time.GetUtcNow().ToUnixTimeMilliseconds(), ct).ConfigureAwait(false);
        session.AfterCommit(() => cache.RemoveManifest(repository, digest));
    }

    private static readonly Statement SelectManifest = new("SELECT m.id FROM repositories r JOIN manifests m ON m.repository_id = r.id AND m.digest = @1 WHERE r.name = @0");

    private static readonly Statement SelectImage = new("""
        SELECT m.repository_id, s.sbom_digest FROM manifests m LEFT JOIN artifact_sboms s ON s.manifest_id = m.id WHERE m.id = @0
        """);

    private static readonly Statement SelectReplaced = new("""
        SELECT m.id FROM manifests m WHERE m.repository_id = @0 AND m.digest = @1 AND m.archive = 0 AND NOT EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = m.id)
            AND NOT EXISTS (SELECT 1 FROM manifest_children l WHERE l.repository_id = @0 AND l.child_digest = @1)
        """);

    private static readonly Statement Finish = new("""
        UPDATE artifact_sboms SET state = CASE WHEN job_id = @1 THEN 1 ELSE state END, finished_at = CASE WHEN job_id = @1 THEN @2 ELSE finished_at END, sbom_digest = @3, problem = NULL
        WHERE manifest_id = @0
        """);
}
