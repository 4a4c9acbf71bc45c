using Berth.Server.Platform.Events;

namespace Berth.Server.Access.Members;

/// <summary>
/// Where people and groups are kept that have not come here yet: a directory, an OpenID provider. Asked when a request names somebody whom nobody here has
/// the name of, so that they can be members before their first sign-in, as in Harbor.
/// </summary>
internal interface IMemberSource
{
    /// <summary>Makes the user of that name, when the source has such a person.</summary>
    Task<SourceAnswer> AddUserAsync(string name, EventActor actor, CancellationToken ct);

    /// <summary>Makes the group, when the source has it or leaves the names of groups to whoever uses them.</summary>
    Task<SourceAnswer> AddGroupAsync(MemberGroup group, EventActor actor, CancellationToken ct);
}

/// <summary>What came of a question to a source.</summary>
/// <param name="Id">Number of the user or the group that was made, or was there already; null when the source does not know it.</param>
/// <param name="Problem">Why the source could not tell; null when it could.</param>
internal readonly record struct SourceAnswer(long? Id, string? Problem = null);
