namespace Berth.Server.Access;

/// <summary>Who makes a request, as far as the registry asks.</summary>
public sealed class Caller
{
    /// <summary>Somebody without credentials.</summary>
    public static readonly Caller Anonymous = new("anonymous", "", isAdmin: false, grants: null);

    /// <summary>Builds a caller.</summary>
    /// <param name="id">Stable identity, with its source: <c>local:admin</c>, <c>htpasswd:ci</c>, <c>token:alice</c>.</param>
    /// <param name="name">Name for people.</param>
    /// <param name="isAdmin">May do everything.</param>
    /// <param name="grants">What a token grants; null when rights do not come from a token.</param>
    public Caller(string id, string name, bool isAdmin, IReadOnlyList<TokenGrant>? grants)
    {
        Id = id;
        Name = name;
        IsAdmin = isAdmin;
        Grants = grants;
    }

    public string Id { get; }

    public string Name { get; }

    public bool IsAdmin { get; }

    public IReadOnlyList<TokenGrant>? Grants { get; }

    /// <summary>Stands for the password that a local user has signed in with; null for everybody else.</summary>
    internal string? PasswordStamp { get; init; }

    /// <summary>True for a caller without credentials.</summary>
    public bool IsAnonymous => ReferenceEquals(this, Anonymous) || Name.Length == 0;
}

/// <summary>One entry of a token's <c>access</c> claim (Docker token specification, "Requesting a Token").</summary>
/// <param name="Type"><c>repository</c> or <c>registry</c>.</param>
/// <param name="Name">Repository name, or <c>catalog</c>.</param>
/// <param name="Actions"><c>pull</c>, <c>push</c>, <c>delete</c> or <c>*</c>.</param>
public sealed record TokenGrant(string Type, string Name, IReadOnlyList<string> Actions);
