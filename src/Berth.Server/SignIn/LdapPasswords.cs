using Berth.Server.Access;
using Berth.Server.Identity;
using Berth.Server.Identity.Ldap;
using Berth.Server.Platform.Events;

namespace Berth.Server.SignIn;

/// <summary>Passwords of people in the directory. The user <c>admin</c> is never looked for there, as in Harbor.</summary>
internal sealed class LdapPasswords(LdapUsers directory, Users users, TimeProvider time) : ICredentialSource
{
    // A wrong password takes the directory a step more than an unknown name: both are answered after this time.
    private static readonly TimeSpan RefusalTime = TimeSpan.FromMilliseconds(300);

    public string Prefix => "ldap:";

    public bool AsksOutside => true;

    public async ValueTask<CredentialVerdict> CheckAsync(string name, string password, CancellationToken ct)
    {
        if (name == FirstAdmin.Name || !Users.IsName(name)) return CredentialVerdict.NotMine;
        if (await directory.FindDirectoryAsync(ct).ConfigureAwait(false) is not { } ldap) return CredentialVerdict.NotMine;
        var begun = time.GetTimestamp();
        // People of other sources keep their names.
        var isAnothers = await users.FindAsync(name, ct).ConfigureAwait(false) is { Source: not LdapUsers.Source };
        var outcome = isAnothers ? LdapSignIn.Refused.Instance : await ldap.SignInAsync(name, password, ct).ConfigureAwait(false);
        if (outcome is LdapSignIn.Unavailable away) throw new SignInUnavailableException(away.Reason);
        if (outcome is LdapSignIn.Accepted accepted && Users.IsName(accepted.User.Name)
            && await directory.EnsureAsync(accepted, new EventActor("user", 0, accepted.User.Name, "", ""), ct).ConfigureAwait(false) is { IsDisabled: false } user)
            return CredentialVerdict.Of(UserPasswords.CallerOf(user, isOwnPassword: true));
        var rest = RefusalTime - time.GetElapsedTime(begun);
        if (rest > TimeSpan.Zero) await Task.Delay(rest, time, ct).ConfigureAwait(false);
        return CredentialVerdict.Wrong;
    }

    // Its callers are users like others.
    public ValueTask<Caller?> LoadAsync(long id, CancellationToken ct) => ValueTask.FromResult<Caller?>(null);
}
