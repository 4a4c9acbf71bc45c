using Berth.Server.Access.PersonalTokens;

namespace Berth.Server.Access;

/// <summary>Who stands behind a name and password, or behind one of our own tokens (mode <c>local</c>).</summary>
internal sealed class LocalCallers(IEnumerable<ICredentialSource> sources, PersonalTokenSource personal, LocalTokens tokens)
{
    private readonly ICredentialSource[] _sources = [.. sources];

    /// <summary>The caller of a name and a password by what the database knows; not mine when somebody outside may know them.</summary>
    public ValueTask<CredentialVerdict> CheckPasswordAsync(string name, string password, CancellationToken ct) => CheckAsync(name, password, asksOutside: false, ct);

    /// <summary>The caller of a name and a password that the database does not know. May take as long as somebody outside takes to answer.</summary>
    /// <exception cref="SignInUnavailableException">Whom to ask does not answer.</exception>
    public ValueTask<CredentialVerdict> CheckOutsideAsync(string name, string password, CancellationToken ct) => CheckAsync(name, password, asksOutside: true, ct);

    /// <summary>
    /// The caller of an access token with what it grants, or of a personal access token; or null. A token is worth what its owner is: with other credentials or without the account
    /// it is worth nothing, and at each request it grants at most what the owner may do then.
    /// </summary>
    public async ValueTask<(Caller Caller, DateTimeOffset ExpiresAt)?> CheckTokenAsync(string text, CancellationToken ct)
    {
        if (PersonalTokenText.IsOne(text))
            return await personal.FindAsync(text, ct).ConfigureAwait(false) is { } user ? (user, user.EndsAt ?? DateTimeOffset.MaxValue) : null;
        if (await tokens.ReadAccessAsync(text, ct).ConfigureAwait(false) is not { } token) return null;
        if (token.Subject.Length == 0) return (Caller.Anonymous.WithGrants(token.Grants), token.ExpiresAt);
        if (await FindAsync(token.Subject, token.Stamp, ct).ConfigureAwait(false) is not { } owner) return null;
        return (owner.WithGrants(token.Grants), owner.EndsAt is { } end && end < token.ExpiresAt ? end : token.ExpiresAt);
    }

    /// <summary>The owner of a refresh token, or null.</summary>
    public async ValueTask<Caller?> CheckRefreshTokenAsync(string text, CancellationToken ct) =>
        await tokens.ReadRefreshAsync(text, ct).ConfigureAwait(false) is { Stamp: { } stamp } token ? await FindAsync(token.Subject, stamp, ct).ConfigureAwait(false) : null;

    /// <summary>
    /// A caller who has signed in, as the database has it now; null when the credentials have changed since: credentials that are still
    /// remembered must not buy a token that outlives them.
    /// </summary>
    public ValueTask<Caller?> RenewAsync(Caller caller, CancellationToken ct) => FindAsync(caller.Id, caller.Stamp, ct);

    private async ValueTask<CredentialVerdict> CheckAsync(string name, string password, bool asksOutside, CancellationToken ct)
    {
        foreach (var source in _sources)
        {
            if (source.AsksOutside != asksOutside) continue;
            var verdict = await source.CheckAsync(name, password, ct).ConfigureAwait(false);
            if (verdict.IsMine) return verdict;
        }
        return CredentialVerdict.NotMine;
    }

    private async ValueTask<Caller?> FindAsync(string id, string? stamp, CancellationToken ct)
    {
        foreach (var source in _sources)
        {
            if (!id.StartsWith(source.Prefix, StringComparison.Ordinal) || !long.TryParse(id.AsSpan(source.Prefix.Length), out var row)) continue;
            var caller = await source.LoadAsync(row, ct).ConfigureAwait(false);
            return caller is null ? null : caller.Stamp == stamp ? caller : caller.Before?.Stamp == stamp ? caller.Before : null;
        }
        return null;
    }
}
