namespace Berth.Server.Trash;

/// <summary>How long what was deleted can be restored (section <c>trash</c>).</summary>
public sealed record TrashOptions
{
    /// <summary>Days for which deleted tags and manifests are kept, where their project does not say otherwise; 0 keeps nothing.</summary>
    public int Days { get; init; } = 7;
}
