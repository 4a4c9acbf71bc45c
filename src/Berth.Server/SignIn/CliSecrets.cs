using Berth.Server.Access;
using Berth.Server.Identity;

namespace Berth.Server.SignIn;

/// <summary>
/// Secrets that stand for the password of people whose password is not here, in programs that cannot open a browser (Harbor's CLI secret).
/// </summary>
internal sealed class CliSecrets(Users users) : ICredentialSource
{
    public string Prefix => "cli-secret:";

    public async ValueTask<CredentialVerdict> CheckAsync(string name, string password, CancellationToken ct)
    {
        // Users with a password here, and names without a user, have cost a hash already (UserPasswords): one hash in any case.
        if (await users.FindAsync(name, ct).ConfigureAwait(false) is not { PasswordHash.Length: 0 } user) return CredentialVerdict.NotMine;
        var owner = user.CliSecretHash is { Length: > 0 } hash ? new User { Name = name, PasswordHash = hash } : null;
        return Passwords.Verify(owner, password) && !user.IsDisabled ? CredentialVerdict.Of(UserPasswords.CallerOf(user)) : CredentialVerdict.NotMine;
    }

    // Its callers are users like others.
    public ValueTask<Caller?> LoadAsync(long id, CancellationToken ct) => ValueTask.FromResult<Caller?>(null);
}
