using System.Text;
using Berth.Blobs.FileSystem;
using Berth.Oci;
using Berth.Server.Platform.Data;

namespace Berth.Server.Tests.Adoption;

/// <summary>Everything the database says of content, and whether it holds.</summary>
internal static class StoredState
{
    private static readonly string[] Queries =
    [
        "SELECT 'repository', name FROM repositories ORDER BY name",
        "SELECT 'blob', digest, size, created_at FROM blobs ORDER BY digest",
        "SELECT 'link', r.name, b.digest, l.linked_at FROM repository_blobs l JOIN repositories r ON r.id = l.repository_id JOIN blobs b ON b.id = l.blob_id ORDER BY r.name, b.digest",
        "SELECT 'manifest', r.name, m.digest, m.media_type, m.artifact_type, m.subject, m.annotations, m.pushed_at, m.size FROM manifests m JOIN repositories r ON r.id = m.repository_id ORDER BY r.name, m.digest",
        "SELECT 'needs', r.name, m.digest, b.digest FROM manifest_blobs x JOIN manifests m ON m.id = x.manifest_id JOIN repositories r ON r.id = m.repository_id JOIN blobs b ON b.id = x.blob_id ORDER BY r.name, m.digest, b.digest",
        "SELECT 'child', r.name, m.digest, c.child_digest FROM manifest_children c JOIN manifests m ON m.id = c.manifest_id JOIN repositories r ON r.id = m.repository_id ORDER BY r.name, m.digest, c.child_digest",
        "SELECT 'tag', r.name, t.name, m.digest, t.updated_at FROM tags t JOIN repositories r ON r.id = t.repository_id JOIN manifests m ON m.id = t.manifest_id ORDER BY r.name, t.name",
        "SELECT 'history', r.name, h.name, h.digest, h.previous_digest, h.actor, h.at FROM tag_history h JOIN repositories r ON r.id = h.repository_id ORDER BY r.name, h.name, h.id",
        "SELECT 'upload', committing_digest FROM uploads ORDER BY committing_digest",
    ];

    /// <summary>All rows as text, without ids.</summary>
    public static async Task<string> DumpAsync(Database database)
    {
        var text = new StringBuilder();
        foreach (var query in Queries)
        {
            foreach (var row in await RowsAsync(database, query)) text.AppendJoin(' ', row).Append('\n');
        }
        return text.ToString();
    }

    public static ValueTask<List<object?[]>> RowsAsync(Database database, string sql) =>
        database.ReadAsync(sql, static async (session, query, ct) =>
        {
            await using var command = session.Connection.CreateCommand();
            command.CommandText = query;
            await using var reader = await command.ExecuteReaderAsync(ct);
            var rows = new List<object?[]>();
            while (await reader.ReadAsync(ct))
            {
                var row = new object?[reader.FieldCount];
                for (var i = 0; i < row.Length; i++) row[i] = reader.IsDBNull(i) ? "-" : reader.GetValue(i);
                rows.Add(row);
            }
            return rows;
        }, CancellationToken.None);

    /// <summary>Runs a change.</summary>
    public static Task<int> ExecuteAsync(Database database, string sql) => database.WriteAsync(Durability.Full, async (session, ct) =>
    {
        await using var command = session.Connection.CreateCommand();
        command.CommandText = sql;
        command.Transaction = session.Transaction;
        return await command.ExecuteNonQueryAsync(ct);
    }, CancellationToken.None);

    /// <summary>No blob is recorded whose bytes are missing or differ.</summary>
    public static async Task CheckBytesAsync(Database database, ContentPaths paths)
    {
        foreach (var row in await RowsAsync(database, "SELECT digest, size FROM blobs"))
        {
            var digest = Digest.Parse((string)row[0]!);
            Assert.True(File.Exists(paths.Content(digest)), $"{digest} is recorded without its bytes");
            Assert.Equal(digest, Digest.Of(await File.ReadAllBytesAsync(paths.Content(digest)), digest.Algorithm));
        }
    }

    /// <summary>Whatever a tag leads to is there: manifests, children, referrers, and a link and bytes for each layer.</summary>
    public static async Task CheckPullableAsync(Database database, ContentPaths paths)
    {
        await CheckBytesAsync(database, paths);
        var manifests = (await RowsAsync(database, "SELECT r.name, m.digest, m.media_type, m.content FROM manifests m JOIN repositories r ON r.id = m.repository_id"))
            .ToDictionary(row => ((string)row[0]!, (string)row[1]!), row => ((string)row[2]!, (byte[])row[3]!));
        var links = (await RowsAsync(database, "SELECT r.name, b.digest FROM repository_blobs l JOIN repositories r ON r.id = l.repository_id JOIN blobs b ON b.id = l.blob_id"))
            .Select(row => ((string)row[0]!, (string)row[1]!)).ToHashSet();
        var absent = Digest.Of("absent"u8).Value;
        var open = new Stack<(string Repository, string Digest)>((await RowsAsync(database,
            "SELECT r.name, m.digest FROM tags t JOIN repositories r ON r.id = t.repository_id JOIN manifests m ON m.id = t.manifest_id")).Select(row => ((string)row[0]!, (string)row[1]!)));
        while (open.TryPop(out var next))
        {
            Assert.True(manifests.TryGetValue(next, out var manifest), $"{next} is gone");
            Assert.Equal(next.Digest, Digest.Of(manifest.Item2).Value);
            Assert.True(ManifestReader.TryRead(manifest.Item2, manifest.Item1, out var document, out var error), error);
            foreach (var layer in document.Config is { } config ? document.Layers.Prepend(config) : document.Layers)
                Assert.Contains((next.Repository, layer.Digest.Value), links);
            foreach (var child in document.Manifests.Where(c => c.Digest.Value != absent)) open.Push((next.Repository, child.Digest.Value));
        }
    }
}
