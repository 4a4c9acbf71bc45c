using Berth.Server.Platform.Data;
using Berth.Server.Projects.Naming;

namespace Berth.Server.Projects;

/// <summary>What requests need to know of a project; remembered until something about projects changes.</summary>
/// <param name="Id">Its row.</param>
/// <param name="Name">Its name now, which may not be the one that was asked for.</param>
/// <param name="IsPublic">Anybody may pull.</param>
/// <param name="Metadata">Its settings under Harbor's keys, without <c>public</c>.</param>
public sealed record ProjectFacts(long Id, string Name, bool IsPublic, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>Largest number of bytes that it may use; -1 for no limit.</summary>
    public long QuotaBytes { get; init; } = -1;

    /// <summary>Manifests that may be pulled from it in a minute, by all callers together; 0 for no limit.</summary>
    public int PullsPerMinute { get; } = LimitOf(Metadata, ProjectSettings.PullLimit);

    /// <summary>Manifests that may be pushed to it in a minute, by all callers together; 0 for no limit.</summary>
    public int PushesPerMinute { get; } = LimitOf(Metadata, ProjectSettings.PushLimit);

    /// <summary>Which names its repositories and tags may have; null where it does not say.</summary>
    public NamingRules? Naming { get; } = NamingRules.Of(Metadata);

    private static int LimitOf(IReadOnlyDictionary<string, string> metadata, string key) =>
        metadata.TryGetValue(key, out var text) && int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var limit) ? Math.Max(0, limit) : 0;
}

/// <summary>How to make a project that a first push needs.</summary>
/// <param name="IsPublic">Whether anybody may pull from it.</param>
/// <param name="QuotaBytes">Its quota; -1 for none.</param>
/// <param name="OwnerId">The user who pushes; null for robots and without sign-in.</param>
/// <param name="Metadata">Settings that it gets.</param>
public sealed record ProjectSeed(bool IsPublic, long QuotaBytes, long? OwnerId, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>Told of the new project inside the transaction that makes it.</summary>
    internal Func<DbSession, long, CancellationToken, ValueTask>? Created { get; init; }

    /// <summary>For modes in which projects decide nothing.</summary>
    public static readonly ProjectSeed Silent = new(false, -1, null, new Dictionary<string, string>());
}
