using Berth.Server.Projects;

namespace Berth.Server.Access;

/// <summary>
/// What a personal access token is limited to: <c>PROJECT:LEVEL</c>, separated by commas. PROJECT is a name or <c>*</c>; LEVEL is <c>read</c> (look and
/// pull), <c>push</c> (read, push and label), <c>write</c> (push and delete) or <c>admin</c> (all that the user may do there). <c>system:read</c> and <c>system:admin</c> open
/// what lies outside of projects. A token never gives more than its user has.
/// </summary>
public sealed class TokenScopes
{
    private const string System = "system";

    private static readonly PermissionSet s_read = PermissionSet.Of(ProjectPermissions.All.Where(p => p.Action is "read" or "list" or "pull"));
    private static readonly PermissionSet s_push = s_read.Union(BuiltInRoles.Find(BuiltInRoles.Developer)!.Rights);
    private static readonly PermissionSet s_write = s_push.Union(PermissionSet.Of(
        ProjectPermissions.RepositoryDelete, ProjectPermissions.ArtifactDelete, ProjectPermissions.TagDelete));

    private readonly Dictionary<string, PermissionSet> _projects;

    private TokenScopes(string text, Dictionary<string, PermissionSet> projects, PermissionSet system) => (Text, _projects, OfSystem) = (text, projects, system);

    /// <summary>The stored form.</summary>
    public string Text { get; }

    /// <summary>The limit outside of projects.</summary>
    public PermissionSet OfSystem { get; }

    /// <summary>Names of the projects that it is good for; <c>*</c> among them means all.</summary>
    public IReadOnlyCollection<string> Projects => _projects.Keys;

    /// <summary>The limit in a project.</summary>
    public PermissionSet In(string project) =>
        _projects.GetValueOrDefault(project).Union(_projects.GetValueOrDefault("*"));

    /// <summary>Whether all that other scopes allow is allowed by these.</summary>
    public bool Covers(TokenScopes other) =>
        OfSystem.Covers(other.OfSystem) && other._projects.All(p => (p.Key == "*" ? _projects.GetValueOrDefault("*") : In(p.Key)).Covers(p.Value));

    /// <summary>The limit in every project.</summary>
    public PermissionSet InAllProjects => _projects.GetValueOrDefault("*");

    /// <summary>Reads scopes; false with the first word that is none.</summary>
    public static bool TryParse(string text, out TokenScopes scopes, out string problem)
    {
        var projects = new Dictionary<string, PermissionSet>(StringComparer.Ordinal);
        var system = PermissionSet.None;
        scopes = null!;
        problem = "";
        foreach (var word in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var colon = word.LastIndexOf(':');
            var (name, level) = colon > 0 ? (word[..colon], word[(colon + 1)..]) : ("", "");
            if (name == System && level is "read" or "admin")
            {
                system = system.Union(level == "admin" ? PermissionSet.All : PermissionSet.Of(SystemPermissions.All.Where(p => p.Action is "read" or "list")));
                continue;
            }
            if (SetOf(level) is not { } set || name != "*" && !ProjectName.IsValid(name))
            {
                problem = $"{word} is no scope: write PROJECT:read, PROJECT:push, PROJECT:write or PROJECT:admin, with * for all projects, or system:read, system:admin";
                return false;
            }
            projects[name] = projects.GetValueOrDefault(name).Union(set);
        }
        scopes = new TokenScopes(text, projects, system);
        return true;
    }

    private static PermissionSet? SetOf(string level) => level switch
    {
        "read" => s_read,
        "push" => s_push,
        "write" => s_write,
        "admin" => PermissionSet.All,
        _ => null,
    };
}
