using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Projects;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Administration;

/// <summary>Finds projects and repositories by a part of their name, among those that the caller sees.</summary>
internal sealed class SearchApi(Database database)
{
    /// <summary>Most projects and most repositories in one answer; Harbor has no limit.</summary>
    public const int MaxResults = 1000;

    internal static IEnumerable<ApiOperation> Operations(SearchApi api) =>
    [
        new(HttpMethods.Get, "/search", "search", "search", ApiNeed.Anybody, api.SearchAsync) { Answer = typeof(SearchResult), Query = ["q"], Summary = $"Projects and repositories whose name contains q, among those that the caller sees; at most {MaxResults} of each" },
    ];

    private async Task<ApiResult> SearchAsync(ApiCall call, CancellationToken ct)
    {
        var text = call.Query("q").Replace('\0', ' ');
        var visible = await VisibleProjects.ReadAsync(database, call, ct).ConfigureAwait(false);
        var repositories = await database.ReadAsync((text, visible), static (session, q, token) => FindAsync(session, q.text, q.visible, token), ct).ConfigureAwait(false);
        return ApiResult.Ok(new SearchResult
        {
            Project = [.. visible.Where(p => p.Name.Contains(text, StringComparison.OrdinalIgnoreCase)).Take(MaxResults).Select(ProjectOf)],
            Repository = repositories,
        }, AdministrationJson.Default.SearchResult);
    }

    private static SearchProject ProjectOf(VisibleProject project) => new()
    {
        ProjectId = project.Id,
        Name = project.Name,
        OwnerId = project.OwnerId ?? 0,
        OwnerName = project.OwnerName ?? "",
        RepoCount = project.RepositoryCount,
        CreationTime = ApiTime.Text(project.CreatedAt),
        UpdateTime = ApiTime.Text(project.UpdatedAt),
        Metadata = new Dictionary<string, string> { ["public"] = project.IsPublic ? "true" : "false" },
    };

    private static async ValueTask<List<SearchRepository>> FindAsync(DbSession session, string text, List<VisibleProject> visible, CancellationToken ct)
    {
        var byId = visible.ToDictionary(p => p.Id);
        var found = new List<SearchRepository>();
        if (byId.Count == 0) return found;
        await using var reader = await session.Command(SelectRepositories, ListSql.Containing(text)).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (found.Count < MaxResults && await reader.ReadAsync(ct).ConfigureAwait(false))
        {
            if (!byId.TryGetValue(reader.GetInt64(0), out var project)) continue;
            found.Add(new SearchRepository
            {
                ProjectId = project.Id,
                ProjectName = project.Name,
                ProjectPublic = project.IsPublic,
                RepositoryName = reader.GetString(1),
                PullCount = reader.GetInt64(2),
                ArtifactCount = reader.GetInt64(3),
            });
        }
        return found;
    }

    // Names are lower case. Only repositories that hold something are shown.
    private static readonly Statement SelectRepositories = new(
        "SELECT project_id, name, pull_count, artifact_count FROM repositories WHERE name LIKE @0 ESCAPE '!' AND artifact_count > 0 ORDER BY name");
}
