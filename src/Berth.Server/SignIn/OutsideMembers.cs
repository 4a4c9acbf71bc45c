using Berth.Server.Access.Members;
using Berth.Server.Identity;
using Berth.Server.Identity.Ldap;
using Berth.Server.Identity.Oidc;
using Berth.Server.Platform.Events;

namespace Berth.Server.SignIn;

/// <summary>
/// Members who have not signed in yet: people and groups of the directory, which must have them; and groups of an OpenID provider or a proxy, whose names
/// nobody can look up, so that each is taken as it is given.
/// </summary>
internal sealed class OutsideMembers(LdapUsers ldap, OidcProviders providers, bool hasProxy, OutsideUsers outside) : IMemberSource
{
    private const int MaxNameLength = 255;

    public Task<SourceAnswer> AddUserAsync(string name, EventActor actor, CancellationToken ct) => AskAsync(async directory =>
        // As at sign-in: the first administrator is never looked for.
        name != FirstAdmin.Name && Users.IsName(name) && await directory.LookUpAsync(name, ct).ConfigureAwait(false) is { } person && Users.IsName(person.User.Name)
            ? (await ldap.EnsureAsync(person, actor, ct).ConfigureAwait(false))?.Id
            : null, ct);

    public async Task<SourceAnswer> AddGroupAsync(MemberGroup group, EventActor actor, CancellationToken ct)
    {
        if (group.LdapGroupDn is { Length: > 0 } dn) return await AddOfDirectoryAsync(dn, group.GroupName, actor, ct).ConfigureAwait(false);
        // The settings may have changed since the providers were last used; the directory's follow on the same call.
        await ldap.FindDirectoryAsync(ct).ConfigureAwait(false);
        var isNamedByUse = group.GroupType switch
        {
            (int)GroupKind.Oidc => providers.All.Count > 0,
            (int)GroupKind.Proxy => hasProxy,
            _ => false,
        };
        if (!isNamedByUse || group.GroupName is not { Length: > 0 and <= MaxNameLength } name || name.Any(char.IsControl)) return default;
        return new SourceAnswer(await outside.EnsureGroupAsync((GroupKind)group.GroupType!.Value, new OutsideGroup(name), actor, ct).ConfigureAwait(false));
    }

    private async Task<SourceAnswer> AddOfDirectoryAsync(string dn, string? name, EventActor actor, CancellationToken ct)
    {
        if (LdapDn.Normalize(dn) is null) return default;
        return await AskAsync(async directory =>
        {
            if (await directory.FindGroupAsync(dn, ct).ConfigureAwait(false) is not { } found) return null;
            // As in Harbor a name that is given is the group's here.
            var shown = name is { Length: > 0 and <= MaxNameLength } && !name.Any(char.IsControl) ? name : found.Name;
            return await outside.EnsureGroupAsync(GroupKind.Ldap, new OutsideGroup(shown, found.Dn), actor, ct).ConfigureAwait(false);
        }, ct).ConfigureAwait(false);
    }

    private async Task<SourceAnswer> AskAsync(Func<LdapDirectory, Task<long?>> ask, CancellationToken ct)
    {
        if (await ldap.FindDirectoryAsync(ct).ConfigureAwait(false) is not { } directory) return default;
        try
        {
            return new SourceAnswer(await ask(directory).ConfigureAwait(false));
        }
        catch (LdapUnavailableException)
        {
            // What is wrong with the directory is for its administrator, who sees it with a ping.
            return new SourceAnswer(null, "the directory does not answer: try again");
        }
    }
}
