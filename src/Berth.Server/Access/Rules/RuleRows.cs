using System.Data.Common;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Text;

namespace Berth.Server.Access.Rules;

/// <summary>Access rules between their form in the API and their rows.</summary>
internal static class RuleRows
{
    private const int MaxDescription = 1024;

    private static readonly (string Word, RuleActions Action)[] s_words =
    [
        ("pull", RuleActions.Pull), ("push", RuleActions.Push), ("delete", RuleActions.Delete), ("create", RuleActions.Create), ("retag", RuleActions.Retag),
    ];

    private static readonly ListSql s_list = new(
        "a.id, a.subject_kind, a.subject_id, a.repository_pattern, a.tag_pattern, a.actions, a.is_allowed, a.description, a.created_at, COALESCE(u.name, g.name, b.name, r.name, '')",
        """
        access_rules a LEFT JOIN users u ON a.subject_kind = 1 AND u.id = a.subject_id LEFT JOIN user_groups g ON a.subject_kind = 2 AND g.id = a.subject_id
        LEFT JOIN robots b ON a.subject_kind = 3 AND b.id = a.subject_id LEFT JOIN roles r ON a.subject_kind = 4 AND r.id = a.subject_id
        """,
        new Dictionary<string, ListColumn>(), "a.id", "a.id");

    /// <summary>The action of a word; none for a word that is none.</summary>
    public static RuleActions ActionOf(string? word) => Array.Find(s_words, w => w.Word == word).Action;

    /// <summary>A list of the rules of a project.</summary>
    public static ListSql.Query List(long projectId) => s_list.Of("a.project_id = ?", projectId);

    /// <summary>A page of a list, in the order in which they were made.</summary>
    public static ValueTask<List<RuleJson>> ReadAsync(DbSession session, ListSql.Query query, ApiPage page, CancellationToken ct) =>
        query.ReadAsync(session, page, [], JsonOf, ct);

    /// <summary>One rule; null when the project has none of the id.</summary>
    public static async ValueTask<RuleJson?> FindAsync(DbSession session, long projectId, long id, CancellationToken ct)
    {
        var query = List(projectId);
        query.Add("a.id = ?", id);
        var found = await query.ReadAsync(session, new ApiPage(1, 1), [], JsonOf, ct).ConfigureAwait(false);
        return found.Count == 0 ? null : found[0];
    }

    /// <summary>What a request says, without its subject; null with all that is wrong with it.</summary>
    public static AccessRule? TryRead(RuleJson request, long projectId, out string problem)
    {
        var problems = new List<string>();
        var (repository, tag) = (request.Repository ?? "**", request.Tag ?? "**");
        if (!Glob.TryParse(repository, out _, out var badRepository)) problems.Add($"repository: {badRepository}");
        if (!Glob.TryParse(tag, out _, out var badTag)) problems.Add($"tag: {badTag}");
        var actions = RuleActions.None;
        foreach (var word in request.Actions ?? [])
        {
            if (ActionOf(word) is not RuleActions.None and var action) actions |= action;
            else problems.Add($"actions: {word} is none of pull, push, delete, create and retag");
        }
        if (actions == RuleActions.None && problems.Count == 0) problems.Add("actions must name at least one of pull, push, delete, create and retag");
        if (request.Effect is not ("allow" or "deny")) problems.Add("effect must be allow or deny");
        if (request.Description?.Length > MaxDescription) problems.Add($"description has more than {MaxDescription} characters");
        if (Subjects.KindOf(request.Subject?.Kind) is not { } kind) problems.Add("subject.kind must be user, group, robot, role or anybody");
        else if (kind != SubjectKind.Anybody && string.IsNullOrEmpty(request.Subject?.Name)) problems.Add("subject.name is needed");
        problem = string.Join("; ", problems);
        if (problems.Count > 0) return null;
        return new AccessRule
        {
            ProjectId = projectId,
            RepositoryPattern = repository,
            TagPattern = tag,
            Actions = actions,
            IsAllowed = request.Effect == "allow",
            Description = request.Description ?? "",
        };
    }

    /// <summary>The permissions that a rule gives, if it allows.</summary>
    public static PermissionSet GivenBy(AccessRule rule)
    {
        if (!rule.IsAllowed) return PermissionSet.None;
        var given = new List<Permission>(3);
        if (rule.Actions.HasFlag(RuleActions.Pull)) given.Add(ProjectPermissions.RepositoryPull);
        if ((rule.Actions & (RuleActions.Push | RuleActions.Create | RuleActions.Retag)) != 0) given.Add(ProjectPermissions.RepositoryPush);
        if (rule.Actions.HasFlag(RuleActions.Delete)) given.Add(ProjectPermissions.RepositoryDelete);
        return PermissionSet.Of(given);
    }

    private static RuleJson JsonOf(DbDataReader row)
    {
        var kind = (SubjectKind)row.GetInt32(1);
        var name = kind == SubjectKind.Role && BuiltInRoles.Find(row.GetInt64(2)) is { } role ? role.Name : row.GetString(9);
        return new RuleJson
        {
            Id = row.GetInt64(0),
            Subject = new RuleSubject(Subjects.WordOf(kind), kind == SubjectKind.Anybody ? null : name),
            Repository = row.GetString(3),
            Tag = row.GetString(4),
            Actions = [.. s_words.Where(w => ((RuleActions)row.GetInt32(5)).HasFlag(w.Action)).Select(w => w.Word)],
            Effect = row.GetBoolean(6) ? "allow" : "deny",
            Description = row.GetString(7),
            CreationTime = ApiTime.Text(row.GetInt64(8)),
        };
    }
}
