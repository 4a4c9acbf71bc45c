using System.Globalization;
using System.Text.Json;
using Berth.Server.Access;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;
using Berth.Server.Ui;

namespace Berth.Server.Trash.Pages;

/// <summary>Undo of a deletion: the form of the trash that restores what was put there last.</summary>
internal sealed class TrashUndo(Database database, TrashOptions options) : IDeletionUndo
{
    /// <inheritdoc/>
    public async Task<int> DaysAsync(UiCall call, CancellationToken ct) => call.Project is not { } project
        ? 0
        : await database.ReadAsync((project.Id, options.Days), static (session, q, token) => TrashWindow.DaysAsync(session, q.Id, q.Days, token), ct).ConfigureAwait(false);

    /// <inheritdoc/>
    public async Task<UiUndo?> OfferAsync(UiCall call, string repository, IReadOnlyCollection<string>? digests, string? tag, CancellationToken ct)
    {
        if (digests is { Count: 0 } || !await call.MayAsync(ProjectPermissions.RepositoryPush).ConfigureAwait(false)) return null;
        var name = $"{call.Project!.Name}/{repository}";
        var (statement, values) = digests is null
            ? (SelectSince, new object?[] { name, call.Project.Id, call.Now.ToUnixTimeMilliseconds(), TrashForms.MostAtOnce + 1L })
            : (SelectLatest, [name, call.Project.Id, JsonSerializer.Serialize(digests), tag ?? "", call.Now.ToUnixTimeMilliseconds()]);
        var ids = await database.ReadAsync((statement, values), static async (session, q, token) =>
        {
            var found = new List<long>();
            await using var rows = await session.Command(q.statement, q.values).ExecuteReaderAsync(token).ConfigureAwait(false);
            while (await rows.ReadAsync(token).ConfigureAwait(false)) found.Add(rows.GetInt64(0));
            return found;
        }, ct).ConfigureAwait(false);
        // More than a form restores at once is restored in the trash.
        return ids.Count is 0 or > TrashForms.MostAtOnce ? null : new UiUndo(TrashForms.PathOf(call), "undo", string.Join('.', ids.Select(i => i.ToString(CultureInfo.InvariantCulture))));
    }

    // Of what was deleted together one entry is enough: a restore brings the others.
    private static readonly Statement SelectLatest = new("""
        SELECT MAX(id) FROM trash_entries WHERE repository = @0 AND project_id = @1 AND digest IN (SELECT value FROM json_each(@2)) AND (@3 = '' OR tag = @3) AND deleted_at >= @4 GROUP BY digest
        """, """
        SELECT MAX(id) FROM trash_entries WHERE repository = @0 AND project_id = @1 AND digest = ANY(ARRAY(SELECT jsonb_array_elements_text(@2::jsonb))) AND (@3 = '' OR tag = @3) AND deleted_at >= @4 GROUP BY digest
        """);

    private static readonly Statement SelectSince = new("SELECT MAX(id) FROM trash_entries WHERE repository = @0 AND project_id = @1 AND deleted_at >= @2 GROUP BY digest LIMIT @3");
}
