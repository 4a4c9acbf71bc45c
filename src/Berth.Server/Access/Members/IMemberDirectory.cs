using Berth.Server.Platform.Events;

namespace Berth.Server.Access.Members;

/// <summary>Knows people and groups who may become members of a project before they are known here: a directory.</summary>
internal interface IMemberDirectory
{
    /// <summary>Makes a user of a person; the user's name, or null when there is no such person or the name is another user's.</summary>
    /// <exception cref="SignInUnavailableException">The directory cannot tell.</exception>
    Task<string?> AddUserAsync(string name, EventActor actor, CancellationToken ct);

    /// <summary>Makes a group of one in the directory; false when there is none of the distinguished name.</summary>
    /// <exception cref="SignInUnavailableException">The directory cannot tell.</exception>
    Task<bool> AddGroupAsync(string dn, EventActor actor, CancellationToken ct);
}
