using Berth.Server.Projects;

namespace Berth.Server.Access;

/// <summary>What one caller may do with one repository. Made for each request, without allocation.</summary>
public readonly struct RepositoryRights
{
    private readonly ProjectRights? _rights;
    private readonly RuleActions _actions;

    internal RepositoryRights(string repository, ProjectFacts? project, ProjectRights? rights, RuleActions actions, ProjectSeed? seed)
    {
        Repository = repository;
        Project = project;
        Seed = seed;
        _rights = rights;
        _actions = actions;
    }

    /// <summary>Name of the repository: the one that was asked for, or what it is called now.</summary>
    public string Repository { get; }

    /// <summary>Its project; null where projects decide nothing, and for one that a push is to make.</summary>
    public ProjectFacts? Project { get; }

    /// <summary>How to make the project if it is not there; null when that is not allowed.</summary>
    public ProjectSeed? Seed { get; }

    /// <summary>The same rights with another way to make the project.</summary>
    internal RepositoryRights With(ProjectSeed seed) => new(Repository, Project, _rights, _actions, seed);

    /// <summary>Rights where projects decide nothing.</summary>
    internal static RepositoryRights Plain(string repository, bool pull, bool push, bool delete) =>
        new(repository, null, null, (pull ? RuleActions.Pull : 0) | (push ? RuleActions.Push : 0) | (delete ? RuleActions.Delete : 0), ProjectSeed.Silent);

    /// <summary>Whether an action is allowed on anything in the repository.</summary>
    public bool May(RepositoryAction action) => (_actions & ActionOf(action)) != 0;

    /// <summary>Whether the account may push to the repository, also when the token that it shows is good for less: clients ask for a token to pull even where they are about to push.</summary>
    public bool MayAccountPush => (_rights is { } own ? AccessRules.AllWithoutTag(own, ProjectName.WithoutProject(Repository)) & RuleActions.Push : _actions & RuleActions.Push) != 0;

    /// <summary>Whether a manifest may be pulled by a tag.</summary>
    public bool MayPull(string tag) => (_actions & RuleActions.Pull) != 0 && Decides(tag, RuleActions.Pull);

    /// <summary>Whether a tag may be written.</summary>
    /// <param name="tag">The tag.</param>
    /// <param name="exists">Whether it points to another manifest now.</param>
    public bool MayWrite(string tag, bool exists) => (_actions & RuleActions.Push) != 0 && Decides(tag, exists ? RuleActions.Retag : RuleActions.Create);

    /// <summary>Whether a tag may be deleted.</summary>
    public bool MayDelete(string tag) => (_actions & RuleActions.Delete) != 0 && Decides(tag, RuleActions.Delete);

    private bool Decides(string tag, RuleActions action) =>
        _rights is null || _rights.Rules.Count == 0 || AccessRules.Decide(_rights, ProjectName.WithoutProject(Repository), tag, action).IsAllowed;

    private static RuleActions ActionOf(RepositoryAction action) => action switch
    {
        RepositoryAction.Pull => RuleActions.Pull,
        RepositoryAction.Push => RuleActions.Push,
        _ => RuleActions.Delete,
    };
}
