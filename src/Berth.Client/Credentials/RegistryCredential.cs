namespace Berth.Client.Credentials;

/// <summary>What somebody signs in with at a registry: one of name and password, a token that is exchanged for others, or a token that is sent as it is.</summary>
public sealed record RegistryCredential
{
    public string UserName { get; init; } = "";

    public string Password { get; init; } = "";

    /// <summary>Exchanged for a bearer token at the registry's token service (OAuth 2.0 refresh token); empty when there is none.</summary>
    public string IdentityToken { get; init; } = "";

    /// <summary>Sent as bearer token; empty when there is none.</summary>
    public string RegistryToken { get; init; } = "";

    /// <summary>Whether there is a name and a password.</summary>
    public bool HasPassword => UserName.Length > 0;

    // Passwords must not stand in logs by accident.
    public override string ToString() => $"credential of {(UserName.Length > 0 ? UserName : "a token")}";
}

/// <summary>Knows with what to sign in where.</summary>
public interface ICredentialSource
{
    /// <summary>The credential for a registry (<see cref="ImageReference.Registry"/>); null to be nobody.</summary>
    /// <exception cref="IOException">It cannot be found out.</exception>
    ValueTask<RegistryCredential?> FindAsync(string registry, CancellationToken ct);
}

/// <summary>One credential for every registry, or for one only.</summary>
/// <param name="credential">The credential; null for nobody.</param>
/// <param name="only">The registry that it is for; null for all.</param>
public sealed class GivenCredential(RegistryCredential? credential, string? only = null) : ICredentialSource
{
    /// <summary>Nobody.</summary>
    public static GivenCredential Nobody { get; } = new(null);

    /// <inheritdoc/>
    public ValueTask<RegistryCredential?> FindAsync(string registry, CancellationToken ct) => ValueTask.FromResult(only is null || only == registry ? credential : null);
}
