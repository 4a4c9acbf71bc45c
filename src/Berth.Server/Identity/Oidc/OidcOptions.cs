using Berth.Server.Platform.Options;

namespace Berth.Server.Identity.Oidc;

/// <summary>An OpenID provider that people sign in with (an entry of <c>identity.oidc</c>).</summary>
public sealed record OidcOptions
{
    /// <summary>Name of the provider, in addresses and on the sign-in page; a configuration may hold any number of different names.</summary>
    public string Name { get; init; } = "";

    /// <summary>Address of the provider, exactly as its discovery document names it.</summary>
    public string Issuer { get; init; } = "";

    /// <summary>Id under which the provider knows Berth.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>Secret of the client; none for a public one. Secret.</summary>
    [Secret]
    public string? ClientSecret { get; init; }

    /// <summary>Scopes to ask for; <c>openid</c> is always among them.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = ["openid", "profile", "email"];

    /// <summary>Claim that becomes the user name; empty for <c>preferred_username</c>, else <c>name</c>, else <c>email</c>.</summary>
    public string UserClaim { get; init; } = "";

    /// <summary>Claim with the groups, by name or path such as <c>realm_access.roles</c>; empty: groups are not read.</summary>
    public string GroupsClaim { get; init; } = "";

    /// <summary>Group whose members are administrators; empty for none.</summary>
    public string AdminGroup { get; init; } = "";

    /// <summary>Regular expression that groups must match to be taken over; empty for all.</summary>
    public string GroupFilter { get; init; } = "";

    /// <summary>Create the user at the first sign-in with the name of the claim, instead of asking for a name.</summary>
    public bool AutoOnboard { get; init; }

    /// <summary>Whether the provider must show a certificate that is trusted.</summary>
    public bool VerifyCertificate { get; init; } = true;

    /// <summary>PEM file, or folder of PEM files, with the authorities to trust instead of the system's.</summary>
    public string? CaPath { get; init; }

    /// <summary>Further parameters of the address that the browser is sent to, such as <c>prompt: login</c>.</summary>
    public IReadOnlyDictionary<string, string> ExtraRedirectParameters { get; init; } = new Dictionary<string, string>();

    /// <summary>Sign out at the provider too (RP-initiated logout).</summary>
    public bool Logout { get; init; }
}
