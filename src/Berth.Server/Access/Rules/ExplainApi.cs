using Berth.Oci;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Projects;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Access.Rules;

/// <summary>Why somebody may or may not do something: for oneself, and for others to those who manage the project's members.</summary>
internal sealed class ExplainApi(AccessExplainer explainer, Database database)
{
    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(ExplainApi api) =>
    [
        new(HttpMethods.Get, "/access/explain", "explainAccess", "access", ApiNeed.SignedIn, api.ExplainAsync)
        {
            Surface = ApiSurface.Berth, Answer = typeof(Explanation), Query = ["subject", "action", "project", "repository", "tag"],
            Summary = "Says why a subject (user:NAME, robot:NAME, anonymous; by default the caller) may or may not do an action, and what decides. About others: those who manage the project's members.",
        },
    ];

    private async Task<ApiResult> ExplainAsync(ApiCall call, CancellationToken ct)
    {
        var (subject, action, projectName, repository, tag) = (call.Query("subject"), call.Query("action"), call.Query("project"), call.Query("repository"), call.Query("tag"));
        if (!IsAction(action, projectName.Length > 0)) return ApiResult.BadRequest("action must be pull, push, delete, create, retag or a permission such as label:create");
        if (tag.Length > 0 && (repository.Length == 0 || !TagName.IsValid(tag))) return ApiResult.BadRequest("tag must be the name of a tag, and repository be given");
        if (repository.Length > 0 && projectName.Length == 0) return ApiResult.BadRequest("project is needed beside repository");

        var project = projectName.Length == 0 ? null : await call.FindProjectAsync(projectName, ct).ConfigureAwait(false);
        // What somebody may not see looks as if it were not there.
        var isOpen = project is null || await call.MayAsync(project, ProjectPermissions.ProjectRead, ct).ConfigureAwait(false);
        if (projectName.Length > 0 && (project is null || !isOpen)) return call.IsAdmin ? ApiResult.NotFound($"project {projectName} not found") : call.Refuse();
        if (project is not null && repository.Length > 0)
        {
            if (repository.StartsWith(project.Name + "/", StringComparison.Ordinal)) repository = repository[(project.Name.Length + 1)..];
            if (!RepositoryName.IsValid($"{project.Name}/{repository}")) return ApiResult.BadRequest("repository must be the name of a repository");
            (project, repository) = await CurrentAsync(call, project, repository, ct).ConfigureAwait(false);
        }
        var isSelf = subject.Length == 0 || subject == SelfOf(call.Caller);
        if (!isSelf && !(project is null ? call.IsAdmin : await call.MayAsync(project, ProjectPermissions.MemberCreate, ct).ConfigureAwait(false)))
            return call.Refuse("forbidden: only those who manage the project's members may ask about others");
        var caller = call.Caller;
        if (!isSelf)
        {
            var (found, isDisabled) = await database.ReadAsync((subject, id: project?.Id ?? 0), static (s, q, t) => FindAsync(s, q.subject, q.id, t), ct).ConfigureAwait(false);
            if (found is null) return ApiResult.NotFound($"there is no {subject}: write user:NAME, robot:NAME or anonymous");
            if (isDisabled) return ApiResult.Ok(Disabled(subject, action, project, repository, tag), RuleJsonContext.Default.Explanation);
            caller = found;
        }
        var explained = await explainer.ExplainAsync(caller, new AccessQuestion(action, project, repository, tag), ct).ConfigureAwait(false);
        return ApiResult.Ok(explained, RuleJsonContext.Default.Explanation);
    }

    // By a former name the answer is about the repository as it is called now, if the caller may know of it.
    private static async ValueTask<(ProjectFacts, string)> CurrentAsync(ApiCall call, ProjectFacts project, string repository, CancellationToken ct)
    {
        var asked = $"{project.Name}/{repository}";
        var current = await call.CurrentNameAsync(asked, ct).ConfigureAwait(false);
        if (current == asked || await call.FindProjectAsync(ProjectName.Of(current), ct).ConfigureAwait(false) is not { } home) return (project, repository);
        return await call.MayAsync(home, ProjectPermissions.ProjectRead, ct).ConfigureAwait(false) ? (home, ProjectName.WithoutProject(current)) : (project, repository);
    }

    private static Explanation Disabled(string subject, string action, ProjectFacts? project, string repository, string tag) => new()
    {
        Subject = subject,
        Action = action,
        Project = project?.Name,
        Repository = repository.Length == 0 ? null : repository,
        Tag = tag.Length == 0 ? null : tag,
        DecidedBy = "account",
        Text = $"{subject} may not sign in: the account is disabled or has expired",
    };

    private static bool IsAction(string action, bool inProject)
    {
        if (RuleRows.ActionOf(action) != RuleActions.None) return inProject;
        var colon = action.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0) return false;
        var (resource, verb) = (action[..colon], action[(colon + 1)..]);
        return (inProject ? ProjectPermissions.Find(resource, verb) : SystemPermissions.Find(resource, verb)) is not null;
    }

    private static string SelfOf(Caller caller) => caller.Kind == CallerKind.Robot ? $"robot:{caller.Name}" : $"user:{caller.Name}";

    private static async ValueTask<(Caller? Caller, bool IsDisabled)> FindAsync(DbSession session, string subject, long projectId, CancellationToken ct)
    {
        if (subject == "anonymous") return (Caller.Anonymous, false);
        var colon = subject.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0 || Subjects.KindOf(subject[..colon]) is not { } kind || kind is not (SubjectKind.User or SubjectKind.Robot)) return (null, false);
        if (await Subjects.FindAsync(session, kind, subject[(colon + 1)..], projectId, ct).ConfigureAwait(false) is not { } found) return (null, false);
        await using var row = await session.Command(kind == SubjectKind.User ? SelectUser : SelectRobot, found.Id).ExecuteReaderAsync(ct).ConfigureAwait(false);
        if (!await row.ReadAsync(ct).ConfigureAwait(false)) return (null, false);
        var caller = new Caller($"{subject[..colon]}:{found.Id}", found.Name, row.GetBoolean(1), null)
        {
            Kind = kind == SubjectKind.User ? CallerKind.User : CallerKind.Robot,
            SubjectId = found.Id,
        };
        return (caller, row.GetBoolean(0));
    }

    private static readonly Statement SelectUser = new("SELECT is_disabled, (is_admin OR is_admin_by_source) FROM users WHERE id = @0");
    private static readonly Statement SelectRobot = new("SELECT is_disabled, (1 = 0) FROM robots WHERE id = @0");
}
