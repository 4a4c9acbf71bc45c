using Berth.Server.Access.PersonalTokens;
using Berth.Server.Platform.Data;

namespace Berth.Server.Access;

/// <summary>Who stands behind a name and password, or behind one of our own tokens (mode <c>local</c>).</summary>
internal sealed class LocalCallers
{
    private const int MaxRemembered = 20_000;

    private readonly ICredentialSource[] _sources;
    private readonly PersonalTokenSource _personal;
    private readonly LocalTokens _tokens;
    private readonly Announcements _announcements;
    private readonly TimeProvider _time;

    // Owners of tokens as they were last read: only for while the database is away.
    private readonly RecentMap<string, (Caller Caller, long At)> _owners = new(MaxRemembered);

    public LocalCallers(IEnumerable<ICredentialSource> sources, PersonalTokenSource personal, LocalTokens tokens, Announcements announcements, TimeProvider time)
    {
        (_sources, _personal, _tokens, _announcements, _time) = ([.. sources], personal, tokens, announcements, time);
        announcements.Subscribe(Topics.Credentials, key =>
        {
            if (string.IsNullOrEmpty(key)) _owners.Clear();
            else _owners.RemoveWhere(o => o.Caller.Id == key || (o.Caller.Kind == CallerKind.Robot ? "robot:" : "user:") + o.Caller.SubjectId == key);
        });
    }

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
            return await _personal.FindAsync(text, ct).ConfigureAwait(false) is { } user ? (user, user.EndsAt ?? DateTimeOffset.MaxValue) : null;
        if (await _tokens.ReadAccessAsync(text, ct).ConfigureAwait(false) is not { } token) return null;
        if (token.Subject.Length == 0) return (Caller.Anonymous.WithGrants(token.Grants), token.ExpiresAt);
        if (await FindAsync(token.Subject, token.Stamp, ct).ConfigureAwait(false) is not { } owner) return null;
        return (owner.WithGrants(token.Grants), owner.EndsAt is { } end && end < token.ExpiresAt ? end : token.ExpiresAt);
    }

    /// <summary>The owner of a refresh token, or null.</summary>
    public async ValueTask<Caller?> CheckRefreshTokenAsync(string text, CancellationToken ct) =>
        await _tokens.ReadRefreshAsync(text, ct).ConfigureAwait(false) is { Stamp: { } stamp } token ? await FindAsync(token.Subject, stamp, ct).ConfigureAwait(false) : null;

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
        if (_announcements.Outage.IsAway && _owners.TryGet(id, out var known) && known.Caller.Stamp == stamp && _announcements.Outage.MayBelieve(known.At)) return known.Caller;
        foreach (var source in _sources)
        {
            if (!id.StartsWith(source.Prefix, StringComparison.Ordinal) || !long.TryParse(id.AsSpan(source.Prefix.Length), out var row)) continue;
            var at = _time.GetTimestamp();
            var caller = await source.LoadAsync(row, ct).ConfigureAwait(false);
            if (caller is not null) _owners.Set(id, (caller, at));
            else _owners.Remove(id);
            return caller is null ? null : caller.Stamp == stamp ? caller : caller.Before?.Stamp == stamp ? caller.Before : null;
        }
        return null;
    }
}
