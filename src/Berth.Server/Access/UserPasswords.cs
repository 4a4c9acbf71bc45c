using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Berth.Server.Identity;

namespace Berth.Server.Access;

/// <summary>Passwords of users in the database.</summary>
internal sealed class UserPasswords(Users users) : ICredentialSource
{
    public string Prefix => "user:";

    public async ValueTask<CredentialVerdict> CheckAsync(string name, string password, CancellationToken ct)
    {
        var user = await users.FindAsync(name, ct).ConfigureAwait(false);
        // A user of another source has no password here; without any user the time of a check is spent all the same.
        if (user is { PasswordHash.Length: 0 }) return CredentialVerdict.NotMine;
        var isRight = Passwords.Verify(user, password);
        if (user is null) return CredentialVerdict.NotMine;
        return isRight && !user.IsDisabled ? CredentialVerdict.Of(CallerOf(user, isOwnPassword: true)) : CredentialVerdict.Wrong;
    }

    public async ValueTask<Caller?> LoadAsync(long id, CancellationToken ct) =>
        await users.FindAsync(id, ct).ConfigureAwait(false) is { IsDisabled: false } user ? CallerOf(user) : null;

    /// <summary>A user as a caller.</summary>
    public static Caller CallerOf(User user, bool isOwnPassword = false) => new("user:" + user.Id, user.Name, user.IsAdmin || user.IsAdminBySource, grants: null)
    {
        Kind = CallerKind.User,
        SubjectId = user.Id,
        Stamp = StampOf(user),
        MustChangePassword = user.MustChangePassword,
        IsOwnPassword = isOwnPassword,
    };

    // Stands for the password in force, and tells nothing about it.
    private static string StampOf(User user) =>
        Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes($"{user.PasswordHash}\n{user.CliSecretHash}\n{user.Source}\n{user.ExternalId}")).AsSpan(0, 16));
}
