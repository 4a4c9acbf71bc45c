using Berth.Server.Platform.Data;
using Berth.Server.Projects;

namespace Berth.Server.Access;

/// <summary>
/// Who may do what in which project, by the database. Answers are remembered until something that they depend on changes anywhere
/// (<see cref="Topics.Access"/>), so that the usual request asks nothing.
/// </summary>
internal sealed class RightsCache
{
    private const int MaxProjects = 20_000;
    private const int MaxRights = 200_000;

    private readonly Database _database;
    private readonly RecentMap<string, ProjectFacts?> _projects = new(MaxProjects);
    private readonly RecentMap<(CallerKind Kind, long Subject, long Project), ProjectRights> _rights = new(MaxRights);
    private volatile Dictionary<string, string>? _redirects;
    private int _epoch;

    public RightsCache(Database database)
    {
        _database = database;
        database.Announcements.Subscribe(Topics.Access, _ => Clear());
    }

    /// <summary>The project that a name means now; null when there is none.</summary>
    public ValueTask<ProjectFacts?> FindProjectAsync(string name, CancellationToken ct) =>
        _projects.TryGet(name, out var known) && _database.Announcements.MayBelieve ? new ValueTask<ProjectFacts?>(known) : LoadProjectAsync(name, ct);

    /// <summary>The name that a repository has now: the one that was asked for, unless it is a former one that nobody has reused.</summary>
    public ValueTask<string> CurrentNameAsync(string repository, CancellationToken ct) =>
        _redirects is { } redirects && _database.Announcements.MayBelieve
            ? new ValueTask<string>(redirects.Count > 0 && redirects.TryGetValue(repository, out var current) ? current : repository)
            : LoadRedirectsAsync(repository, ct);

    /// <summary>What a caller may do in a project, without regard to the grants of a bearer token.</summary>
    public ValueTask<ProjectRights> OfAsync(Caller caller, ProjectFacts project, CancellationToken ct) =>
        caller.Scopes is null ? OfAccountAsync(caller, project, ct) : LimitedAsync(caller, caller.Scopes, project, ct);

    /// <summary>What a caller may do outside of projects.</summary>
    public async ValueTask<PermissionSet> OfSystemAsync(Caller caller, CancellationToken ct)
    {
        var set = caller.IsAdmin ? PermissionSet.All
            : caller.Kind == CallerKind.Robot ? await _database.ReadAsync(caller.SubjectId, static (s, id, t) => ReadSystemAsync(s, id, t), ct).ConfigureAwait(false)
            : PermissionSet.None;
        return caller.Scopes is { } scopes ? set.Intersect(scopes.OfSystem) : set;
    }

    private ValueTask<ProjectRights> OfAccountAsync(Caller caller, ProjectFacts project, CancellationToken ct)
    {
        if (caller.IsAdmin) return new ValueTask<ProjectRights>(ProjectRights.All);
        return _rights.TryGet((caller.Kind, caller.SubjectId, project.Id), out var known) && _database.Announcements.MayBelieve
            ? new ValueTask<ProjectRights>(known)
            : LoadRightsAsync(caller, project, ct);
    }

    private async ValueTask<ProjectRights> LimitedAsync(Caller caller, TokenScopes scopes, ProjectFacts project, CancellationToken ct)
    {
        var rights = await OfAccountAsync(caller, project, ct).ConfigureAwait(false);
        return rights with { Set = rights.Set.Intersect(scopes.In(project.Name)), Rules = Denials(rights.Rules) };
    }

    // A limited token must not gain by a rule what its limit leaves out.
    private static IReadOnlyList<CompiledRule> Denials(IReadOnlyList<CompiledRule> rules) => rules.Count == 0 ? rules : [.. rules.Where(r => !r.Rule.IsAllowed)];

    // Former names are few: all of them are remembered, so that a name without one costs no query.
    private async ValueTask<string> LoadRedirectsAsync(string repository, CancellationToken ct)
    {
        var epoch = Volatile.Read(ref _epoch);
        var redirects = await _database.ReadAsync(0, static (s, _, t) => ReadRedirectsAsync(s, t), ct).ConfigureAwait(false);
        _redirects = redirects;
        Interlocked.MemoryBarrier();
        if (epoch != Volatile.Read(ref _epoch)) _redirects = null;
        return redirects.GetValueOrDefault(repository, repository);
    }

    private static async ValueTask<Dictionary<string, string>> ReadRedirectsAsync(DbSession session, CancellationToken ct)
    {
        var redirects = new Dictionary<string, string>(StringComparer.Ordinal);
        await using var rows = await session.Command(SelectRedirects).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) redirects[rows.GetString(0)] = rows.GetString(1);
        return redirects;
    }

    private async ValueTask<ProjectFacts?> LoadProjectAsync(string name, CancellationToken ct)
    {
        var epoch = Volatile.Read(ref _epoch);
        var project = await _database.ReadAsync(name, static (s, n, t) => ProjectRows.ReadAsync(s, n, t), ct).ConfigureAwait(false);
        _projects.Set(name, project);
        Interlocked.MemoryBarrier();
        // What changed while it was read may not be remembered.
        if (epoch != Volatile.Read(ref _epoch)) _projects.Remove(name);
        return project;
    }

    private async ValueTask<ProjectRights> LoadRightsAsync(Caller caller, ProjectFacts project, CancellationToken ct)
    {
        var epoch = Volatile.Read(ref _epoch);
        var rights = await _database.ReadAsync((caller, project), static (s, q, t) => ReadAsync(s, q.caller, q.project, t), ct).ConfigureAwait(false);
        var key = (caller.Kind, caller.SubjectId, project.Id);
        _rights.Set(key, rights);
        Interlocked.MemoryBarrier();
        if (epoch != Volatile.Read(ref _epoch)) _rights.Remove(key);
        return rights;
    }

    private void Clear()
    {
        Interlocked.Increment(ref _epoch);
        _redirects = null;
        _projects.Clear();
        _rights.Clear();
    }

    private static async ValueTask<ProjectRights> ReadAsync(DbSession session, Caller caller, ProjectFacts project, CancellationToken ct)
    {
        var roles = new List<long>();
        var groups = new HashSet<long>();
        var set = project.IsPublic ? BuiltInRoles.PublicProject : PermissionSet.None;
        if (caller.Kind != CallerKind.Anonymous)
        {
            var isRobot = caller.Kind == CallerKind.Robot;
            await using (var reader = await session.Command(isRobot ? SelectRobotRoles : SelectUserRoles, project.Id, caller.SubjectId).ExecuteReaderAsync(ct).ConfigureAwait(false))
            {
                while (await reader.ReadAsync(ct).ConfigureAwait(false)) roles.Add(reader.GetInt64(0));
            }
            foreach (var role in roles) set = set.Union(BuiltInRoles.Find(role)?.Rights ?? await ReadRoleAsync(session, role, ct).ConfigureAwait(false));
            if (isRobot) set = set.Union(await ReadRobotAsync(session, caller.SubjectId, project.Id, ct).ConfigureAwait(false));
        }
        var rules = await ReadRulesAsync(session, project.Id, ct).ConfigureAwait(false);
        if (rules.Count > 0 && caller.Kind == CallerKind.User) groups = await ReadGroupsAsync(session, caller.SubjectId, ct).ConfigureAwait(false);
        return new ProjectRights(set, AccessRules.Sort(rules.Where(r => Concerns(r.Rule, caller, roles, groups))), roles);
    }

    private static bool Concerns(AccessRule rule, Caller caller, List<long> roles, HashSet<long> groups) => rule.SubjectKind switch
    {
        SubjectKind.User => caller.Kind == CallerKind.User && rule.SubjectId == caller.SubjectId,
        SubjectKind.Robot => caller.Kind == CallerKind.Robot && rule.SubjectId == caller.SubjectId,
        SubjectKind.Group => groups.Contains(rule.SubjectId),
        SubjectKind.Role => roles.Contains(rule.SubjectId),
        _ => true,
    };

    private static async ValueTask<PermissionSet> ReadRoleAsync(DbSession session, long role, CancellationToken ct) =>
        await session.Command(SelectRole, role).ExecuteScalarAsync(ct).ConfigureAwait(false) is string permissions
            ? PermissionSet.Parse(permissions, PermissionScope.Project)
            : PermissionSet.None;

    private static async ValueTask<PermissionSet> ReadRobotAsync(DbSession session, long robot, long project, CancellationToken ct)
    {
        var set = PermissionSet.None;
        await using var reader = await session.Command(SelectRobotPermissions, robot, (int)PermissionScope.Project, project).ExecuteReaderAsync(ct).ConfigureAwait(false);
        var isOfProject = false;
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
        {
            set = set.Union(PermissionSet.Parse(reader.GetString(0), PermissionScope.Project));
            isOfProject = !reader.IsDBNull(1);
        }
        // As in Harbor: clients look before they push, so a robot of a project that may push may pull.
        return isOfProject && set.Has(ProjectPermissions.RepositoryPush) ? set.Union(PermissionSet.Of(ProjectPermissions.RepositoryPull)) : set;
    }

    private static async ValueTask<PermissionSet> ReadSystemAsync(DbSession session, long robot, CancellationToken ct)
    {
        var set = PermissionSet.None;
        await using var reader = await session.Command(SelectSystemPermissions, robot, (int)PermissionScope.System).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) set = set.Union(PermissionSet.Parse(reader.GetString(0), PermissionScope.System));
        return set;
    }

    private static async ValueTask<HashSet<long>> ReadGroupsAsync(DbSession session, long user, CancellationToken ct)
    {
        var groups = new HashSet<long>();
        await using var reader = await session.Command(SelectGroups, user).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) groups.Add(reader.GetInt64(0));
        return groups;
    }

    private static async ValueTask<List<CompiledRule>> ReadRulesAsync(DbSession session, long project, CancellationToken ct)
    {
        var rules = new List<CompiledRule>();
        await using var reader = await session.Command(SelectRules, project).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
        {
            rules.Add(CompiledRule.Of(new AccessRule
            {
                Id = reader.GetInt64(0),
                ProjectId = project,
                SubjectKind = (SubjectKind)reader.GetInt32(1),
                SubjectId = reader.GetInt64(2),
                RepositoryPattern = reader.GetString(3),
                TagPattern = reader.GetString(4),
                Actions = (RuleActions)reader.GetInt32(5),
                IsAllowed = reader.GetBoolean(6),
                Description = reader.GetString(7),
                CreatedAt = reader.GetInt64(8),
            }));
        }
        return rules;
    }

    private static readonly Statement SelectUserRoles = new("""
        SELECT role_id FROM project_members WHERE project_id = @0 AND subject_kind = 1 AND subject_id = @1
        UNION SELECT m.role_id FROM project_members m JOIN user_group_members g ON g.group_id = m.subject_id AND g.user_id = @1
        WHERE m.project_id = @0 AND m.subject_kind = 2
        """);

    private static readonly Statement SelectRobotRoles = new("SELECT role_id FROM project_members WHERE project_id = @0 AND subject_kind = 3 AND subject_id = @1");
    private static readonly Statement SelectRole = new("SELECT permissions FROM roles WHERE id = @0");
    private static readonly Statement SelectGroups = new("SELECT group_id FROM user_group_members WHERE user_id = @0");

    private static readonly Statement SelectRobotPermissions = new("""
        SELECT p.permissions, r.project_id FROM robot_permissions p JOIN robots r ON r.id = p.robot_id
        WHERE p.robot_id = @0 AND p.scope = @1 AND (p.project_id IS NULL OR p.project_id = @2)
        """);

    private static readonly Statement SelectSystemPermissions = new("SELECT permissions FROM robot_permissions WHERE robot_id = @0 AND scope = @1");

    // A former name that somebody has reused is that repository's.
    private static readonly Statement SelectRedirects = new("""
        SELECT d.name, r.name FROM repository_redirects d JOIN repositories r ON r.id = d.repository_id
        WHERE NOT EXISTS (SELECT 1 FROM repositories o WHERE o.name = d.name)
        """);

    private static readonly Statement SelectRules = new("""
        SELECT id, subject_kind, subject_id, repository_pattern, tag_pattern, actions, is_allowed, description, created_at
        FROM access_rules WHERE project_id = @0
        """);
}
