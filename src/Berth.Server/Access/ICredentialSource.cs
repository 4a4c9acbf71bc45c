namespace Berth.Server.Access;

/// <summary>
/// One kind of credentials of mode <c>local</c>: passwords of users, secrets of robots, personal access tokens, tokens of trusted issuers … They are
/// asked in the order in which they are registered.
/// </summary>
internal interface ICredentialSource
{
    /// <summary>Beginning of the <see cref="Caller.Id"/> of its callers, with the colon: <c>user:</c>.</summary>
    string Prefix { get; }

    /// <summary>Whose name and password these are. A wrong password must take as long whether the name exists or not.</summary>
    ValueTask<CredentialVerdict> CheckAsync(string name, string password, CancellationToken ct);

    /// <summary>
    /// Whether the source asks somebody outside: a directory, an issuer. Such a source is asked when no other knows the credentials, and may
    /// throw <see cref="SignInUnavailableException"/>.
    /// </summary>
    bool AsksOutside => false;

    /// <summary>
    /// The caller of an id as it is now, with its <see cref="Caller.Stamp"/>; null when it is gone, disabled or expired.
    /// </summary>
    ValueTask<Caller?> LoadAsync(long id, CancellationToken ct);
}

/// <summary>What a source says about a name and a password.</summary>
/// <param name="Caller">Whose they are; null when they are wrong or not of this source.</param>
/// <param name="IsMine">Whether the credentials are of this source, so that no other needs to be asked.</param>
/// <param name="ExpiresAt">When the credentials end by themselves; null for never.</param>
internal readonly record struct CredentialVerdict(Caller? Caller, bool IsMine, DateTimeOffset? ExpiresAt = null)
{
    /// <summary>Another source may know them.</summary>
    public static CredentialVerdict NotMine => default;

    /// <summary>They are of this source, and wrong.</summary>
    public static CredentialVerdict Wrong => new(null, true);

    /// <summary>They are right.</summary>
    /// <param name="caller">Whose they are.</param>
    /// <param name="expiresAt">When they end by themselves, if before the caller's own end; null for no end before.</param>
    public static CredentialVerdict Of(Caller caller, DateTimeOffset? expiresAt = null) =>
        new(caller, true, caller.EndsAt is { } end && !(expiresAt < end) ? end : expiresAt);
}
