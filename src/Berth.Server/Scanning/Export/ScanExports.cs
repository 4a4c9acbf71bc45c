using System.IO.Compression;
using System.Text;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;

namespace Berth.Server.Scanning.Export;

/// <summary>An export with its job.</summary>
internal sealed record ExportExecution(long Id, long ProjectId, long UserId, string UserName, string Name, long? ExpiresAt, bool HasFile, Job Job);

/// <summary>The rows of exports and the parts of their files, each part compressed by itself.</summary>
internal static class ScanExports
{
    private const int MaxListed = 100;

    public static async ValueTask AddAsync(DbSession session, long job, long project, long userId, string userName, string name, CancellationToken ct) =>
        await session.ExecuteAsync(Insert, [job, project, userId, userName, name], ct).ConfigureAwait(false);

    /// <summary>An export; null when there is none, or its job is gone.</summary>
    public static async ValueTask<ExportExecution?> FindAsync(DbSession session, long id, CancellationToken ct)
    {
        (long Project, long User, string UserName, string Name, long? Expires, bool HasFile) row;
        await using (var rows = await session.Command(SelectOne, id).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            if (!await rows.ReadAsync(ct).ConfigureAwait(false)) return null;
            row = (rows.GetInt64(0), rows.GetInt64(1), rows.GetString(2), rows.GetString(3), rows.IsDBNull(4) ? null : rows.GetInt64(4), !rows.IsDBNull(5));
        }
        return await JobViews.FindAsync(session, id, ct).ConfigureAwait(false) is { } job
            ? new ExportExecution(id, row.Project, row.User, row.UserName, row.Name, row.Expires, row.HasFile, job) : null;
    }

    /// <summary>Those of a user, the newest first; at most a hundred.</summary>
    public static async ValueTask<List<ExportExecution>> ListAsync(DbSession session, string userName, CancellationToken ct)
    {
        var ids = new List<long>();
        await using (var rows = await session.Command(SelectOfUser, userName, (long)MaxListed).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await rows.ReadAsync(ct).ConfigureAwait(false)) ids.Add(rows.GetInt64(0));
        }
        var found = new List<ExportExecution>(ids.Count);
        foreach (var id in ids)
            if (await FindAsync(session, id, ct).ConfigureAwait(false) is { } export) found.Add(export);
        return found;
    }

    /// <summary>Forgets the file of an export: its job begins again.</summary>
    public static async ValueTask ClearAsync(DbSession session, long id, CancellationToken ct) => await session.ExecuteAsync(DeleteParts, [id], ct).ConfigureAwait(false);

    /// <summary>Adds a part of the file.</summary>
    public static async ValueTask AppendAsync(DbSession session, long id, int part, byte[] content, CancellationToken ct) =>
        await session.ExecuteAsync(InsertPart, [id, part, content], ct).ConfigureAwait(false);

    /// <summary>Completes the file.</summary>
    public static async ValueTask CompleteAsync(DbSession session, long id, long sizeBytes, long expiresAt, CancellationToken ct) =>
        await session.ExecuteAsync(Complete, [id, sizeBytes, expiresAt], ct).ConfigureAwait(false);

    /// <summary>A part of the file; null behind the last one.</summary>
    public static async ValueTask<byte[]?> ReadPartAsync(DbSession session, long id, int part, CancellationToken ct)
    {
        await using var row = await session.Command(SelectPart, id, part).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? row.GetFieldValue<byte[]>(0) : null;
    }

    /// <summary>Removes the files whose time is over.</summary>
    public static async ValueTask RemoveOverAsync(DbSession session, long now, CancellationToken ct)
    {
        await session.ExecuteAsync(DeleteOver, [now], ct).ConfigureAwait(false);
        await session.ExecuteAsync(ForgetOver, [now], ct).ConfigureAwait(false);
    }

    /// <summary>Text as a part.</summary>
    public static byte[] Pack(string text)
    {
        using var buffer = new MemoryStream();
        using (var brotli = new BrotliStream(buffer, CompressionLevel.Fastest, leaveOpen: true)) brotli.Write(Encoding.UTF8.GetBytes(text));
        return buffer.ToArray();
    }

    private static readonly Statement Insert = new("INSERT INTO scan_exports (job_id, project_id, user_id, user_name, name) VALUES (@0, @1, @2, @3, @4)");

    private static readonly Statement SelectOne = new("SELECT project_id, user_id, user_name, name, expires_at, size_bytes FROM scan_exports WHERE job_id = @0");

    private static readonly Statement SelectOfUser = new("SELECT job_id FROM scan_exports WHERE user_name = @0 ORDER BY job_id DESC LIMIT @1");

    private static readonly Statement DeleteParts = new("DELETE FROM scan_export_parts WHERE job_id = @0");

    private static readonly Statement InsertPart = new("INSERT INTO scan_export_parts (job_id, part, content) VALUES (@0, @1, @2)");

    private static readonly Statement Complete = new("UPDATE scan_exports SET size_bytes = @1, expires_at = @2 WHERE job_id = @0");

    private static readonly Statement SelectPart = new("SELECT content FROM scan_export_parts WHERE job_id = @0 AND part = @1");

    private static readonly Statement DeleteOver = new("DELETE FROM scan_export_parts WHERE job_id IN (SELECT job_id FROM scan_exports WHERE expires_at < @0)");

    private static readonly Statement ForgetOver = new("UPDATE scan_exports SET size_bytes = NULL WHERE expires_at < @0 AND size_bytes IS NOT NULL");
}
