using Berth.Server.Platform.Options;

namespace Berth.Server.Access;

/// <summary>Who may sign in, and how (section <c>access</c>).</summary>
public sealed record AccessOptions
{
    /// <summary>Which source of truth decides about callers.</summary>
    public AccessMode Mode { get; init; } = AccessMode.Local;

    /// <summary>Realm shown in Basic challenges.</summary>
    public string Realm { get; init; } = "Berth";

    /// <summary>Mode <c>htpasswd</c>: the file of bcrypt hashes; read again when it changes.</summary>
    public string? HtpasswdFile { get; init; }

    /// <summary>Mode <c>token</c>: the outside token server.</summary>
    public ExternalTokenOptions Token { get; init; } = new();

    /// <summary>Service name in Berth's own tokens (mode <c>local</c>).</summary>
    public string Service { get; init; } = "berth";

    /// <summary>Lifetime of Berth's own bearer tokens.</summary>
    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Lifetime of the refresh tokens that <c>docker login</c> may ask for; a new password ends them at once.</summary>
    public TimeSpan RefreshTokenLifetime { get; init; } = TimeSpan.FromDays(90);

    /// <summary>
    /// Secret key of the installation: 32 bytes in base64 (<c>openssl rand -base64 32</c>), the same on all replicas. It encrypts the signing
    /// keys in the database. Without it (and without <see cref="SecretKeyFile"/>) one is generated in <c>secret.key</c> in the data folder. Secret.
    /// </summary>
    [Secret]
    public string? SecretKey { get; init; }

    /// <summary>File with the value of <see cref="SecretKey"/>.</summary>
    public string? SecretKeyFile { get; init; }

    /// <summary>What names of robot accounts begin with.</summary>
    public string RobotNamePrefix { get; init; } = "robot$";

    /// <summary>
    /// How long Berth's own tokens are signed with the same key before the next one is made; old keys are accepted until the last token that they signed
    /// has ended. 0 never makes one.
    /// </summary>
    public TimeSpan SigningKeyLifetime { get; init; } = TimeSpan.FromDays(90);

    /// <summary>How long a verified password or token is remembered.</summary>
    public TimeSpan CredentialCacheTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Failed sign-ins of one name or address before answers are delayed.</summary>
    public int FailuresBeforeDelay { get; init; } = 5;

    /// <summary>Longest delay of an answer to a failed sign-in.</summary>
    public TimeSpan MaxFailureDelay { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>Docker Registry's <c>auth.token</c>.</summary>
public sealed record ExternalTokenOptions
{
    /// <summary>Address of the token server, sent in the challenge.</summary>
    public string? Realm { get; init; }

    /// <summary>Name of this registry; must be in the token's audience.</summary>
    public string? Service { get; init; }

    /// <summary>Issuer that tokens must name.</summary>
    public string? Issuer { get; init; }

    /// <summary>PEM file with the certificates that tokens may be signed under.</summary>
    public string? RootCertBundle { get; init; }

    /// <summary>JSON file with the key set that tokens may be signed with.</summary>
    public string? Jwks { get; init; }

    /// <summary>Allowed signature algorithms; empty for the safe asymmetric ones.</summary>
    public IReadOnlyList<string> SigningAlgorithms { get; init; } = [];

    /// <summary>Build the realm from the request's host (path <c>/auth/token</c>), as Docker Registry does.</summary>
    public bool AutoRedirect { get; init; }

    /// <summary>Path of the realm when <see cref="AutoRedirect"/> is on.</summary>
    public string AutoRedirectPath { get; init; } = "/auth/token";
}

/// <summary>Source of truth about callers.</summary>
public enum AccessMode
{
    /// <summary>Users in the database and Berth's own token service.</summary>
    Local,

    /// <summary>A password file.</summary>
    Htpasswd,

    /// <summary>Tokens of an outside server.</summary>
    Token,

    /// <summary>Everybody may do everything: Docker Registry without an <c>auth</c> section.</summary>
    Open,
}
