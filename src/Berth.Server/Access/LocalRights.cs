namespace Berth.Server.Access;

/// <summary>
/// Who may do what in mode <c>local</c>: administrators everything; other users pull and push, not delete; somebody without
/// credentials what <see cref="AccessOptions.Anonymous"/> says.
/// </summary>
internal static class LocalRights
{
    /// <summary>Rights of a signed-in user.</summary>
    public static bool OfUser(bool isAdmin, RepositoryAction action) => isAdmin || action is RepositoryAction.Pull or RepositoryAction.Push;

    /// <summary>Rights without credentials.</summary>
    public static bool OfAnybody(AnonymousAccess anonymous, RepositoryAction action) => action switch
    {
        RepositoryAction.Pull => anonymous is AnonymousAccess.Pull or AnonymousAccess.Push,
        RepositoryAction.Push => anonymous is AnonymousAccess.Push,
        _ => false,
    };
}
