using Berth.Server.Identity;

namespace Berth.Server.Access;

/// <summary>Who stands behind a password or one of our own tokens, by the database (mode <c>local</c>).</summary>
internal sealed class LocalCallers : IDisposable
{
    private readonly AccessOptions _options;
    private readonly Users _users;
    private readonly LocalTokens _tokens;
    private readonly CredentialCache _cache;

    public LocalCallers(AccessOptions options, Users users, LocalTokens tokens, CredentialCache cache)
    {
        (_options, _users, _tokens, _cache) = (options, users, tokens, cache);
        users.CredentialsChanged += Forget;
    }

    /// <summary>The caller of a name and a password, or null. A name that does not exist costs as much time as a wrong password.</summary>
    public async ValueTask<Caller?> CheckPasswordAsync(string name, string password, CancellationToken ct)
    {
        var user = await _users.FindAsync(name, ct).ConfigureAwait(false);
        if (!Passwords.Verify(user, password)) return null;
        return new Caller(IdOf(name), name, user!.IsAdmin, grants: null) { PasswordStamp = LocalTokens.StampOf(user) };
    }

    /// <summary>
    /// The caller of an access token, or null. A token is worth what its owner is: with another password or without the user it is worth
    /// nothing, with fewer rights it grants less.
    /// </summary>
    public async ValueTask<(Caller Caller, DateTimeOffset ExpiresAt)?> CheckTokenAsync(string text, CancellationToken ct)
    {
        if (await _tokens.ReadAccessAsync(text, ct).ConfigureAwait(false) is not { } token) return null;
        if (token.Subject.Length == 0)
        {
            if (_options.Anonymous == AnonymousAccess.None) return null;
            return (new Caller(Caller.Anonymous.Id, "", isAdmin: false, GrantsOf(user: null, token.Grants)), token.ExpiresAt);
        }
        if (await FindAsync(token.Subject, token.Stamp, ct).ConfigureAwait(false) is not { } user) return null;
        return (new Caller(IdOf(user.Name), user.Name, isAdmin: false, GrantsOf(user, token.Grants)), token.ExpiresAt);
    }

    /// <summary>The owner of a refresh token, or null.</summary>
    public async ValueTask<User?> CheckRefreshTokenAsync(string text, CancellationToken ct) =>
        await _tokens.ReadRefreshAsync(text, ct).ConfigureAwait(false) is { Stamp: { } stamp } token
            ? await FindAsync(token.Subject, stamp, ct).ConfigureAwait(false)
            : null;

    /// <summary>
    /// The user of a caller who has signed in with a password, or null when the password has changed since: a password that is still
    /// remembered must not buy a token that outlives it.
    /// </summary>
    public ValueTask<User?> FindUserAsync(Caller caller, CancellationToken ct) => FindAsync(caller.Name, caller.PasswordStamp, ct);

    /// <summary>What is left of wanted grants under the rights of a user; null for somebody without credentials.</summary>
    public IReadOnlyList<TokenGrant> GrantsOf(User? user, IReadOnlyList<TokenGrant> wanted) =>
        user is null
            ? Grants.Intersect(wanted, (_, a) => LocalRights.OfAnybody(_options.Anonymous, a), _options.Anonymous != AnonymousAccess.None, isAdmin: false)
            : Grants.Intersect(wanted, (_, a) => LocalRights.OfUser(user.IsAdmin, a), mayList: true, user.IsAdmin);

    public void Dispose() => _users.CredentialsChanged -= Forget;

    private async ValueTask<User?> FindAsync(string name, string? stamp, CancellationToken ct)
    {
        var user = await _users.FindAsync(name, ct).ConfigureAwait(false);
        return user is not null && LocalTokens.StampOf(user) == stamp ? user : null;
    }

    private void Forget(string name) => _cache.Forget(IdOf(name));

    private static string IdOf(string name) => "local:" + name;
}
