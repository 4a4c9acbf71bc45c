using Berth.Server.Api;
using Berth.Server.Platform.Data;

namespace Berth.Server.Artifacts;

/// <summary>A repository as a path of the API names it.</summary>
/// <param name="Id">Its row.</param>
/// <param name="Name">Its full name now.</param>
/// <param name="ProjectId">Its project.</param>
/// <param name="ArtifactCount">Artifacts that lists show.</param>
/// <param name="Stamp">Rises with every change of its manifests and tags.</param>
internal sealed record RepositoryPath(long Id, string Name, long ProjectId, long ArtifactCount, long Stamp)
{
    /// <summary>Full name of the repository that a call names; the project by its name now.</summary>
    public static string NameOf(ApiCall call) => $"{call.Project!.Name}/{call.Route("repository_name")}";

    /// <summary>The repository of a name, or of a name that it had before; null when there is none.</summary>
    public static async ValueTask<RepositoryPath?> FindAsync(DbSession session, string name, CancellationToken ct)
    {
        await using (var row = await session.Command(Select, name).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            if (await row.ReadAsync(ct).ConfigureAwait(false)) return new RepositoryPath(row.GetInt64(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4));
        }
        await using var redirected = await session.Command(SelectRedirected, name).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await redirected.ReadAsync(ct).ConfigureAwait(false)
            ? new RepositoryPath(redirected.GetInt64(0), redirected.GetString(1), redirected.GetInt64(2), redirected.GetInt64(3), redirected.GetInt64(4))
            : null;
    }

    private static readonly Statement Select = new("SELECT id, name, project_id, artifact_count, updated_at FROM repositories WHERE name = @0");

    // Within the project: a name that leads elsewhere would lead around the permissions of the path.
    private static readonly Statement SelectRedirected = new("""
        SELECT r.id, r.name, r.project_id, r.artifact_count, r.updated_at FROM repository_redirects d JOIN repositories r ON r.id = d.repository_id
        JOIN projects p ON p.id = r.project_id
        WHERE d.name = @0 AND substr(d.name, 1, length(p.name) + 1) = p.name || '/'
        """);
}
