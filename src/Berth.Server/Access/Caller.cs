namespace Berth.Server.Access;

/// <summary>What kind of account a caller has.</summary>
public enum CallerKind
{
    /// <summary>No credentials.</summary>
    Anonymous,

    /// <summary>A person, or whoever a file or an outside token server names.</summary>
    User,

    /// <summary>A robot account.</summary>
    Robot,
}

/// <summary>Who makes a request, as far as permissions ask.</summary>
public sealed class Caller
{
    /// <summary>Somebody without credentials.</summary>
    public static readonly Caller Anonymous = new("anonymous", "", isAdmin: false, grants: null);

    /// <summary>Builds a caller.</summary>
    /// <param name="id">Stable identity of the credentials, with their source: <c>user:5</c>, <c>robot:7</c>, <c>htpasswd:ci</c>, <c>token:alice</c>.</param>
    /// <param name="name">Name for people.</param>
    /// <param name="isAdmin">May do everything.</param>
    /// <param name="grants">What a bearer token grants; null when rights do not come from a token. A token opens the registry only, not the management API.</param>
    public Caller(string id, string name, bool isAdmin, IReadOnlyList<TokenGrant>? grants)
    {
        Id = id;
        Name = name;
        IsAdmin = isAdmin;
        Grants = grants;
        Kind = name.Length == 0 ? CallerKind.Anonymous : CallerKind.User;
    }

    /// <summary>Stable identity of the credentials, with their source.</summary>
    public string Id { get; }

    public string Name { get; }

    public bool IsAdmin { get; }

    public IReadOnlyList<TokenGrant>? Grants { get; }

    public CallerKind Kind { get; init; }

    /// <summary>Row of the user or robot (mode <c>local</c>); 0 otherwise.</summary>
    public long SubjectId { get; init; }

    /// <summary>What a personal access token is limited to; null without a limit.</summary>
    public TokenScopes? Scopes { get; init; }

    /// <summary>
    /// Stands for the state of the credentials that the caller signed in with: a token made from them ends when it changes. Null where
    /// credentials cannot make tokens.
    /// </summary>
    internal string? Stamp { get; init; }

    /// <summary>When the credentials end by themselves; null for never.</summary>
    internal DateTimeOffset? EndsAt { get; init; }

    /// <summary>The same account by the credentials that these have replaced, while both are good; null otherwise.</summary>
    internal Caller? Before { get; init; }

    /// <summary>Must choose a new password before anything else: nothing but that is open until then.</summary>
    public bool MustChangePassword { get; init; }

    /// <summary>Signed in with the password that is the account's own, here or in a directory: good enough to open a browser's session.</summary>
    internal bool IsOwnPassword { get; init; }

    /// <summary>A scanner that pulls what it was asked to scan: what nobody may pull before it is scanned must be open to it.</summary>
    public bool IsScanner { get; init; }

    /// <summary>True for a caller without credentials.</summary>
    public bool IsAnonymous => ReferenceEquals(this, Anonymous) || Name.Length == 0;

    /// <summary>The same account with the rights that a bearer token grants, at most.</summary>
    internal Caller WithGrants(IReadOnlyList<TokenGrant> grants) =>
        new(Id, Name, IsAdmin, grants) { Kind = Kind, SubjectId = SubjectId, Scopes = Scopes, Stamp = Stamp, EndsAt = EndsAt, MustChangePassword = MustChangePassword, IsScanner = IsScanner };
}

/// <summary>One entry of a token's <c>access</c> claim (Docker token specification, "Requesting a Token").</summary>
/// <param name="Type"><c>repository</c> or <c>registry</c>.</param>
/// <param name="Name">Repository name, or <c>catalog</c>.</param>
/// <param name="Actions"><c>pull</c>, <c>push</c>, <c>delete</c> or <c>*</c>.</param>
public sealed record TokenGrant(string Type, string Name, IReadOnlyList<string> Actions);
