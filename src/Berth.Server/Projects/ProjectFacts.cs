namespace Berth.Server.Projects;

/// <summary>What requests need to know of a project; remembered until something about projects changes.</summary>
/// <param name="Id">Its row.</param>
/// <param name="Name">Its name now, which may not be the one that was asked for.</param>
/// <param name="IsPublic">Anybody may pull.</param>
/// <param name="Metadata">Its settings under Harbor's keys, without <c>public</c>.</param>
public sealed record ProjectFacts(long Id, string Name, bool IsPublic, IReadOnlyDictionary<string, string> Metadata);

/// <summary>How to make a project that a first push needs.</summary>
/// <param name="IsPublic">Whether anybody may pull from it.</param>
/// <param name="QuotaBytes">Its quota; -1 for none.</param>
/// <param name="OwnerId">The user who pushes; null for robots and without sign-in.</param>
/// <param name="Metadata">Settings that it gets.</param>
public sealed record ProjectSeed(bool IsPublic, long QuotaBytes, long? OwnerId, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>For modes in which projects decide nothing.</summary>
    public static readonly ProjectSeed Silent = new(false, -1, null, new Dictionary<string, string>());
}
