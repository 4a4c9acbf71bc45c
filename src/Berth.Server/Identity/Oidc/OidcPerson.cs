namespace Berth.Server.Identity.Oidc;

/// <summary>A person that a provider has vouched for.</summary>
/// <param name="Provider">Name of the provider.</param>
/// <param name="Issuer">Its issuer: with <paramref name="Subject"/> it names the person for ever.</param>
/// <param name="Subject">The provider's own id of the person.</param>
/// <param name="Name">Wanted user name, blanks replaced; null when no claim holds one.</param>
/// <param name="Email">E-mail address; null when there is none or the provider says that it is not verified.</param>
/// <param name="RealName">Name for people.</param>
/// <param name="Groups">Groups that pass the filter; null when groups are not read or no claim holds them.</param>
/// <param name="IsAdmin">Member of the admin group; null when none is set, or groups were not told.</param>
/// <param name="IdToken">The token as it came, for signing out at the provider.</param>
public sealed record OidcPerson(
    string Provider, string Issuer, string Subject, string? Name, string? Email, string? RealName, IReadOnlyList<string>? Groups, bool? IsAdmin, string IdToken);

/// <summary>Outcome of a return from a provider.</summary>
public abstract record OidcSignIn
{
    private OidcSignIn()
    {
    }

    /// <summary>The person is who the provider says.</summary>
    /// <param name="Person">Who.</param>
    /// <param name="ReturnPath">Where the browser wanted to go.</param>
    public sealed record Accepted(OidcPerson Person, string ReturnPath) : OidcSignIn;

    /// <summary>The answer is not to be believed, or is a refusal. The reason may be shown.</summary>
    public sealed record Refused(string Reason) : OidcSignIn;

    /// <summary>The provider cannot be asked. The reason is for the operator.</summary>
    public sealed record Unavailable(string Reason) : OidcSignIn;
}
