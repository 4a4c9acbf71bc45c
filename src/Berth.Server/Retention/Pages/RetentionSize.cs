using Berth.Server.Platform.Data;
using Berth.Server.Ui;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Retention.Pages;

/// <summary>Whether a project, or the registry, is small enough to be simulated while a page is drawn. Counting stops at the limit, so that the answer costs the same for all.</summary>
internal static class RetentionSize
{
    /// <summary>Most tags, and most manifests, of a project that is simulated unasked.</summary>
    private const long Most = 1_500;

    /// <summary>Counts so far.</summary>
    public static async Task<bool> IsSmallAsync(UiCall call)
    {
        var database = call.Http.RequestServices.GetRequiredService<Database>();
        var count = await database.ReadAsync(
            call.Project?.Id, static (session, id, token) => id is { } project ? session.ScalarAsync(Count, [project, Most + 1], token) : session.ScalarAsync(CountAll, [Most + 1], token),
            call.Http.RequestAborted).ConfigureAwait(false);
        return count <= Most;
    }

    private static readonly Statement Count = new("""
        SELECT CASE WHEN t.n > m.n THEN t.n ELSE m.n END FROM
            (SELECT COUNT(*) AS n FROM (SELECT 1 FROM repositories r JOIN tags t ON t.repository_id = r.id WHERE r.project_id = @0 LIMIT @1) AS a) AS t,
            (SELECT COUNT(*) AS n FROM (SELECT 1 FROM repositories r JOIN manifests m ON m.repository_id = r.id WHERE r.project_id = @0 LIMIT @1) AS b) AS m
        """);

    private static readonly Statement CountAll = new("""
        SELECT CASE WHEN t.n > m.n THEN t.n ELSE m.n END FROM
            (SELECT COUNT(*) AS n FROM (SELECT 1 FROM tags LIMIT @0) AS a) AS t, (SELECT COUNT(*) AS n FROM (SELECT 1 FROM manifests LIMIT @0) AS b) AS m
        """);
}
