namespace Berth.Server.Projects;

/// <summary>How projects come to be (section <c>projects</c>; mode <c>local</c>).</summary>
public sealed record ProjectOptions
{
    /// <summary>Who may make a project through the API and the web UI.</summary>
    public ProjectCreators Creators { get; init; } = ProjectCreators.Everyone;

    /// <summary>Whose first push to a project that is not there makes it.</summary>
    public ProjectCreators CreateOnPush { get; init; } = ProjectCreators.Admins;

    /// <summary>Whether anybody may pull from a project that a push has made.</summary>
    public bool PublicOnPush { get; init; }

    /// <summary>Quota of new projects in bytes; -1 for none.</summary>
    public long DefaultQuotaBytes { get; init; } = -1;

    /// <summary>Settings of projects that a push has made, as <c>key=value</c> with Harbor's keys, such as <c>auto_scan=true</c>.</summary>
    public IReadOnlyList<string> MetadataOnPush { get; init; } = [];

    /// <summary>How a first push makes a project.</summary>
    /// <param name="ownerId">Who pushes.</param>
    /// <param name="quotaBytes">Quota of new projects by the settings in force.</param>
    internal ProjectSeed SeedOf(long ownerId, long quotaBytes) => new(
        PublicOnPush, quotaBytes, ownerId,
        MetadataOnPush.Select(s => s.Split('=', 2)).Where(p => p.Length == 2).ToDictionary(p => p[0].Trim(), p => p[1].Trim(), StringComparer.Ordinal));
}

/// <summary>Who may make projects.</summary>
public enum ProjectCreators
{
    /// <summary>Nobody.</summary>
    Nobody,

    /// <summary>Administrators.</summary>
    Admins,

    /// <summary>Every user who is signed in.</summary>
    Everyone,
}
