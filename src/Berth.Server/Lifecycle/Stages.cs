using Berth.Server.Platform.Data;

namespace Berth.Server.Lifecycle;

/// <summary>
/// The stages that a version goes through, as labels of all projects: <c>stage:development</c>, <c>stage:test</c>, <c>stage:release</c>, <c>stage:archived</c>. An artifact has one at most. Lists,
/// filters and retention rules see them as they see any label.
/// </summary>
internal static class Stages
{
    public const string Archived = "archived";
    private const string Prefix = "stage:";

    /// <summary>All, in order.</summary>
    public static readonly IReadOnlyList<string> All = ["development", "test", "release", Archived];

    private static readonly Dictionary<string, string> s_colors = new(StringComparer.Ordinal) { ["development"] = "#0079B8", ["test"] = "#C47D00", ["release"] = "#2E8500", [Archived] = "#737373" };

    /// <summary>Gives an artifact a stage, or takes it away with null. The label is made when it is used for the first time.</summary>
    public static async ValueTask SetAsync(DbSession session, long manifestId, string? stage, long now, CancellationToken ct)
    {
        foreach (var other in All)
        {
            if (other != stage) await RemoveAsync(session, manifestId, other, ct).ConfigureAwait(false);
        }
        if (stage is null) return;
        await session.ExecuteAsync(AddLabel, [Prefix + stage, $"the stage {stage}", s_colors[stage], now], ct).ConfigureAwait(false);
        await session.ExecuteAsync(Add, [manifestId, Prefix + stage, now], ct).ConfigureAwait(false);
    }

    /// <summary>Takes a stage away, if the artifact has it.</summary>
    public static async ValueTask RemoveAsync(DbSession session, long manifestId, string stage, CancellationToken ct) =>
        await session.ExecuteAsync(Remove, [manifestId, Prefix + stage], ct).ConfigureAwait(false);

    /// <summary>The stage of an artifact; null for none.</summary>
    public static async ValueTask<string?> ReadAsync(DbSession session, long manifestId, CancellationToken ct)
    {
        var label = await session.Command(Select, manifestId).ExecuteScalarAsync(ct).ConfigureAwait(false) as string;
        return label is not null && All.Contains(label[Prefix.Length..]) ? label[Prefix.Length..] : null;
    }

    private static readonly Statement AddLabel = new("""
        INSERT INTO labels (name, description, color, project_id, created_at, updated_at) VALUES (@0, @1, @2, NULL, @3, @3) ON CONFLICT (name) WHERE project_id IS NULL DO NOTHING
        """);

    private static readonly Statement Add = new("""
        INSERT INTO manifest_labels (manifest_id, label_id, created_at) SELECT @0, id, @2 FROM labels WHERE name = @1 AND project_id IS NULL ON CONFLICT DO NOTHING
        """);

    private static readonly Statement Remove = new("DELETE FROM manifest_labels WHERE manifest_id = @0 AND label_id IN (SELECT id FROM labels WHERE name = @1 AND project_id IS NULL)");

    private static readonly Statement Select = new($"""
        SELECT b.name FROM manifest_labels l JOIN labels b ON b.id = l.label_id WHERE l.manifest_id = @0 AND b.project_id IS NULL AND b.name LIKE '{Prefix}%' ORDER BY l.created_at DESC LIMIT 1
        """);
}
