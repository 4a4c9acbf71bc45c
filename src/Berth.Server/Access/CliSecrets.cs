using Berth.Server.Identity;

namespace Berth.Server.Access;

/// <summary>
/// Harbor's CLI secret: what a user who signs in elsewhere, with an OpenID provider for example, gives to command line clients instead of a password.
/// </summary>
internal sealed class CliSecrets(Users users) : ICredentialSource
{
    // The caller is the user, and is loaded as one.
    public string Prefix => "cli-secret:";

    public async ValueTask<CredentialVerdict> CheckAsync(string name, string password, CancellationToken ct)
    {
        // Without a user, UserPasswords has spent the time of a check already; with one it has not, as there is no password.
        if (await users.FindAsync(name, ct).ConfigureAwait(false) is not { PasswordHash.Length: 0 } user) return CredentialVerdict.NotMine;
        if (!Passwords.VerifySecret(user.CliSecretHash, password)) return CredentialVerdict.NotMine;
        return user.IsDisabled ? CredentialVerdict.Wrong : CredentialVerdict.Of(UserPasswords.CallerOf(user));
    }

    public ValueTask<Caller?> LoadAsync(long id, CancellationToken ct) => new((Caller?)null);
}
