using Berth.Server.Immutability;
using Berth.Server.Platform.Data;
using Berth.Server.Projects;
using Berth.Server.Registry;

namespace Berth.Server.Access.Rules;

/// <summary>A question about rights.</summary>
/// <param name="Action"><c>pull</c>, <c>push</c>, <c>delete</c>, <c>create</c>, <c>retag</c> or a permission <c>resource:action</c>.</param>
/// <param name="Project">The project; null for the installation.</param>
/// <param name="Repository">Name within the project; empty for the project as a whole.</param>
/// <param name="Tag">A tag; empty for none.</param>
internal readonly record struct AccessQuestion(string Action, ProjectFacts? Project, string Repository, string Tag);

/// <summary>
/// Says why somebody may or may not do something, by asking in the order in which the registry asks: 1. administrator, 2. rule, 3. roles, the public flag, a robot's own
/// permissions, 4. the limit of a token, 5. locks and immutability of the tag. Decides nothing itself: what it says is what <see cref="RightsCache"/> and
/// <see cref="AccessRules"/> decide.
/// </summary>
internal sealed class AccessExplainer(RightsCache rights, Database database)
{
    /// <summary>Answers a question about a caller.</summary>
    public async ValueTask<Explanation> ExplainAsync(Caller caller, AccessQuestion question, CancellationToken ct)
    {
        var start = new Explanation
        {
            Subject = SubjectOf(caller),
            Action = question.Action,
            Project = question.Project?.Name,
            DecidedBy = "nothing",
            Text = "",
            Repository = question.Repository.Length == 0 ? null : question.Repository,
            Tag = question.Tag.Length == 0 ? null : question.Tag,
        };
        if (question.Project is null) return await ExplainSystemAsync(caller, question, start, ct).ConfigureAwait(false);
        var explained = await ExplainProjectAsync(caller, question, question.Project, start, ct).ConfigureAwait(false);
        return explained with { Text = $"{Name(caller)} {(explained.Allowed ? "may" : "may not")} {question.Action} {ObjectOf(question)}: {explained.Text}" };
    }

    /// <summary>
    /// Why a request was refused, for a caller who may look at the project; else null. Of a bearer token that grants less than its owner has, the answer says so.
    /// </summary>
    public async ValueTask<string?> SentenceAsync(Caller caller, AccessQuestion question, CancellationToken ct)
    {
        if (!(await rights.OfAsync(caller, question.Project!, ct).ConfigureAwait(false)).May(ProjectPermissions.ProjectRead)) return null;
        var explained = await ExplainAsync(caller, question, ct).ConfigureAwait(false);
        return explained.Allowed && caller.Grants is not null ? $"{explained.Text}; but this bearer token does not grant it: ask for one with this scope" : explained.Text;
    }

    private async ValueTask<Explanation> ExplainSystemAsync(Caller caller, AccessQuestion question, Explanation start, CancellationToken ct)
    {
        var permission = PermissionOf(SystemPermissions.Find, question.Action);
        var isAllowed = permission is not null && (await rights.OfSystemAsync(caller, ct).ConfigureAwait(false)).Has(permission);
        var by = permission is null ? "nothing" : caller.IsAdmin ? isAllowed ? "administrator" : "token" : caller.Kind == CallerKind.Robot && isAllowed ? "robot" : "nothing";
        var why = by switch
        {
            "administrator" => "administrators may do everything",
            "token" => "the token is limited to less than its owner may do",
            "robot" => "the robot has the permission",
            _ when permission is null => "there is no such permission",
            _ => "only administrators, and robots that were given it, may do that",
        };
        return start with { Allowed = isAllowed, DecidedBy = by, Text = $"{Name(caller)} {(isAllowed ? "may" : "may not")} {question.Action}: {why}" };
    }

    private async ValueTask<Explanation> ExplainProjectAsync(Caller caller, AccessQuestion question, ProjectFacts project, Explanation start, CancellationToken ct)
    {
        var tag = question.Tag.Length > 0 && question.Repository.Length > 0
            ? await database.ReadAsync((project, question), static (s, q, t) => ReadTagAsync(s, q.project, q.question, t), ct).ConfigureAwait(false) : null;
        var action = ActionOf(question.Action, tag);
        var permission = PermissionOf(action, question.Action);
        if (permission is null) return start with { Text = "there is no such action" };
        // 1.
        if (caller is { IsAdmin: true, Scopes: null }) return await WithLocksAsync(start with { Allowed = true, DecidedBy = "administrator", Text = "administrators may do everything" }, question, project, action, tag, ct).ConfigureAwait(false);
        // 2. and 3.
        var own = await rights.OfAsync(caller.Scopes is null ? caller : WithoutLimit(caller), project, ct).ConfigureAwait(false);
        var explained = await ByRulesAndRolesAsync(caller, question, project, own, action, permission, start, ct).ConfigureAwait(false);
        // 4.
        if (caller.Scopes is not null && explained.Allowed && !Decide(await rights.OfAsync(caller, project, ct).ConfigureAwait(false), question, action, permission).IsAllowed)
            return explained with { Allowed = false, DecidedBy = "token", Text = $"the token is limited to {caller.Scopes.Text}" };
        // 5.
        return await WithLocksAsync(explained, question, project, action, tag, ct).ConfigureAwait(false);
    }

    private async ValueTask<Explanation> ByRulesAndRolesAsync(
        Caller caller, AccessQuestion question, ProjectFacts project, ProjectRights own, RuleActions action, Permission permission, Explanation start, CancellationToken ct)
    {
        var memberships = await database.ReadAsync((caller, project.Id, permission), static (s, q, t) => ReadRolesAsync(s, q.caller, q.Id, q.permission, t), ct).ConfigureAwait(false);
        var (isAllowed, by) = Decide(own, question, action, permission);
        var explained = start with { Allowed = isAllowed, Roles = memberships };
        if (by is not null)
        {
            var rule = await database.ReadAsync((project.Id, id: by.Rule.Id), static (s, q, t) => RuleRows.FindAsync(s, q.Id, q.id, t), ct).ConfigureAwait(false);
            var about = by.Rule.Description.Length > 0 ? $" ({by.Rule.Description})" : "";
            return explained with { DecidedBy = "rule", Rule = rule, Text = $"the access rule {by.Rule.Id}{about} {(isAllowed ? "allows" : "denies")} it on repositories {by.Rule.RepositoryPattern}, tags {by.Rule.TagPattern}" };
        }
        if (caller.IsAdmin) return explained with { DecidedBy = "administrator", Text = "administrators may do everything" };
        foreach (var role in memberships)
        {
            if (isAllowed && role.Allows) return explained with { DecidedBy = "role", Text = $"the role {role.Name} of {role.Via} (member {role.MemberId}) allows {permission}" };
        }
        if (isAllowed && project.IsPublic && BuiltInRoles.PublicProject.Has(permission)) return explained with { DecidedBy = "public", Text = "the project is public" };
        if (isAllowed) return explained with { DecidedBy = "robot", Text = $"the robot was given {permission}" };
        if (memberships.Count > 0)
            return explained with { DecidedBy = "role", Text = $"{string.Join(" and ", memberships.Select(r => $"the role {r.Name} of {r.Via} (member {r.MemberId})"))} {(memberships.Count == 1 ? "does" : "do")} not allow {permission}" };
        return explained with { Text = caller.Kind == CallerKind.Robot ? $"the robot was not given {permission}, and is no member" : project.IsPublic ? $"no member of the project, and being public does not allow {permission}" : "no member of the project" };
    }

    private static (bool IsAllowed, CompiledRule? By) Decide(ProjectRights own, AccessQuestion question, RuleActions action, Permission permission)
    {
        if (action == RuleActions.None || question.Repository.Length == 0) return (own.May(permission), null);
        if (question.Tag.Length > 0 && action != RuleActions.Push) return AccessRules.Decide(own, question.Repository, question.Tag, action);
        if (action != RuleActions.Push) return AccessRules.DecideWithoutTag(own, question.Repository, action);
        // A push without a tag is one of something: a new tag, or an old one moved.
        var create = AccessRules.DecideWithoutTag(own, question.Repository, RuleActions.Create);
        return create.IsAllowed ? create : AccessRules.DecideWithoutTag(own, question.Repository, RuleActions.Retag) is { IsAllowed: true } retag ? retag : create;
    }

    private async ValueTask<Explanation> WithLocksAsync(Explanation explained, AccessQuestion question, ProjectFacts project, RuleActions action, TagLocks? tag, CancellationToken ct)
    {
        if (!explained.Allowed || tag is not { } locks || ArtifactKinds.IsHelperTag(question.Tag)) return explained;
        var held = action switch
        {
            RuleActions.Pull => TagLocks.Read,
            RuleActions.Retag => TagLocks.Write,
            RuleActions.Delete => TagLocks.Delete,
            _ => TagLocks.None,
        };
        if ((locks & held) != 0) return explained with { Allowed = false, DecidedBy = "lock", Text = $"the tag has the lock {held.ToString().ToLowerInvariant()}" };
        if (action is not (RuleActions.Retag or RuleActions.Delete)) return explained;
        var rules = await database.ReadAsync(project.Id, static (s, id, t) => ImmutableTags.ReadAsync(s, id, t), ct).ConfigureAwait(false);
        return rules.FirstOrDefault(r => r.Holds(question.Repository, question.Tag)) is { } rule
            ? explained with { Allowed = false, DecidedBy = "immutability", ImmutableRuleId = rule.Id, Text = $"the immutable rule {rule.Id} keeps the tag as it is" }
            : explained;
    }

    private static async ValueTask<TagLocks?> ReadTagAsync(DbSession session, ProjectFacts project, AccessQuestion question, CancellationToken ct) =>
        (TagLocks?)await session.ScalarAsync(SelectTag, [$"{project.Name}/{question.Repository}", question.Tag], ct).ConfigureAwait(false);

    private static async ValueTask<List<ExplainedRole>> ReadRolesAsync(DbSession session, Caller caller, long projectId, Permission permission, CancellationToken ct)
    {
        var rows = new List<(long Member, long Role, SubjectKind Kind, string Name)>();
        if (caller.Kind == CallerKind.Anonymous) return [];
        await using (var reader = await session.Command(caller.Kind == CallerKind.Robot ? SelectRobotRoles : SelectUserRoles, projectId, caller.SubjectId).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await reader.ReadAsync(ct).ConfigureAwait(false)) rows.Add((reader.GetInt64(0), reader.GetInt64(1), (SubjectKind)reader.GetInt32(2), reader.GetString(3)));
        }
        var roles = new List<ExplainedRole>(rows.Count);
        foreach (var (member, id, kind, name) in rows)
        {
            if (await Subjects.FindRoleAsync(session, id, ct).ConfigureAwait(false) is { } role)
                roles.Add(new ExplainedRole(id, role.Name, member, $"{Subjects.WordOf(kind)}:{name}", role.Rights.Has(permission)));
        }
        return roles;
    }

    // With a tag that is there, a push moves it; with one that is not, it makes it.
    private static RuleActions ActionOf(string action, TagLocks? tag) => RuleRows.ActionOf(action) switch
    {
        RuleActions.Push when tag is not null => RuleActions.Retag,
        var known => known,
    };

    private static Permission? PermissionOf(RuleActions action, string text) => action switch
    {
        RuleActions.None => PermissionOf(ProjectPermissions.Find, text),
        RuleActions.Pull => ProjectPermissions.RepositoryPull,
        RuleActions.Delete => ProjectPermissions.RepositoryDelete,
        _ => ProjectPermissions.RepositoryPush,
    };

    private static Permission? PermissionOf(Func<string, string, Permission?> find, string text) =>
        text.IndexOf(':', StringComparison.Ordinal) is var colon and > 0 ? find(text[..colon], text[(colon + 1)..]) : null;

    private static Caller WithoutLimit(Caller caller) => new(caller.Id, caller.Name, caller.IsAdmin, caller.Grants) { Kind = caller.Kind, SubjectId = caller.SubjectId };

    private static string Name(Caller caller) => caller.IsAnonymous ? "somebody without an account" : caller.Name;

    private static string SubjectOf(Caller caller) => caller.IsAnonymous ? "anonymous" : caller.Kind == CallerKind.Robot ? $"robot:{caller.Name}" : $"user:{caller.Name}";

    private static string ObjectOf(AccessQuestion question) =>
        question.Repository.Length == 0 ? $"in project {question.Project!.Name}"
        : $"{question.Project!.Name}/{question.Repository}{(question.Tag.Length == 0 ? "" : ":" + question.Tag)}";

    private static readonly Statement SelectTag = new("SELECT t.locks FROM repositories r JOIN tags t ON t.repository_id = r.id AND t.name = @1 WHERE r.name = @0");

    private static readonly Statement SelectUserRoles = new("""
        SELECT m.id, m.role_id, m.subject_kind, u.name FROM project_members m JOIN users u ON u.id = m.subject_id
        WHERE m.project_id = @0 AND m.subject_kind = 1 AND m.subject_id = @1
        UNION ALL SELECT m.id, m.role_id, m.subject_kind, g.name FROM project_members m JOIN user_group_members x ON x.group_id = m.subject_id AND x.user_id = @1
        JOIN user_groups g ON g.id = m.subject_id WHERE m.project_id = @0 AND m.subject_kind = 2 ORDER BY 1
        """);

    private static readonly Statement SelectRobotRoles = new("""
        SELECT m.id, m.role_id, m.subject_kind, r.name FROM project_members m JOIN robots r ON r.id = m.subject_id
        WHERE m.project_id = @0 AND m.subject_kind = 3 AND m.subject_id = @1
        """);
}
