using System.Text.Json.Serialization;

namespace Berth.Server.SignIn;

/// <summary>Where a browser that cannot follow a redirect has to go (Harbor's <c>redirect_location</c>).</summary>
internal sealed record RedirectAnswer(string RedirectLocation);

/// <summary>Harbor's body of <c>/c/oidc/onboard</c>.</summary>
internal sealed record OnboardRequest
{
    public string? Username { get; init; }
}

/// <summary>Harbor's body of <c>/system/oidc/ping</c>.</summary>
internal sealed record OidcPingRequest
{
    public string? Url { get; init; }

    public bool VerifyCert { get; init; }
}

/// <summary>Harbor's <c>LdapConf</c>.</summary>
internal sealed record LdapConf
{
    public string? LdapUrl { get; init; }

    public string? LdapSearchDn { get; init; }

    public string? LdapSearchPassword { get; init; }

    public string? LdapBaseDn { get; init; }

    public string? LdapFilter { get; init; }

    public string? LdapUid { get; init; }

    public long? LdapScope { get; init; }

    public long? LdapConnectionTimeout { get; init; }

    public bool? LdapVerifyCert { get; init; }
}

/// <summary>Harbor's <c>LdapPingResult</c>.</summary>
internal sealed record LdapPingResult(bool Success, string? Message);

/// <summary>Harbor's <c>LdapUser</c>.</summary>
internal sealed record LdapUserAnswer(string Username, string? Realname, string? Email);

/// <summary>Harbor's <c>LdapImportUsers</c>.</summary>
internal sealed record LdapImportUsers
{
    public IReadOnlyList<string>? LdapUidList { get; init; }
}

/// <summary>Harbor's <c>LdapFailedImportUser</c>.</summary>
internal sealed record LdapFailedImportUser(string Uid, string Error);

/// <summary>Harbor's <c>UserGroup</c>, as far as the search in a directory fills it.</summary>
internal sealed record LdapGroupAnswer(string GroupName, string LdapGroupDn);

/// <summary>A session, as the API shows it.</summary>
internal sealed record SessionAnswer
{
    public required long Id { get; init; }

    public required long UserId { get; init; }

    public required string Address { get; init; }

    public required string UserAgent { get; init; }

    /// <summary>Name of the OpenID provider that vouched; missing for passwords.</summary>
    public string? Provider { get; init; }

    public required DateTime CreatedAt { get; init; }

    public required DateTime LastSeenAt { get; init; }

    public required DateTime ExpiresAt { get; init; }

    /// <summary>Whether it is the session of this very request.</summary>
    public required bool IsCurrent { get; init; }
}

/// <summary>A trust of a robot, as the API takes and shows it.</summary>
internal sealed record RobotTrustBody
{
    public long? Id { get; init; }

    public string? Name { get; init; }

    public string? Issuer { get; init; }

    public string? Audience { get; init; }

    /// <summary>Patterns by claim.</summary>
    public Dictionary<string, IReadOnlyList<string>>? Claims { get; init; }

    public string? JwksUri { get; init; }

    /// <summary>A key set (RFC 7517 section 5) as text.</summary>
    public string? Jwks { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public DateTimeOffset? CreatedAt { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RedirectAnswer))]
[JsonSerializable(typeof(OnboardRequest))]
[JsonSerializable(typeof(OidcPingRequest))]
[JsonSerializable(typeof(LdapConf))]
[JsonSerializable(typeof(LdapPingResult))]
[JsonSerializable(typeof(List<LdapUserAnswer>))]
[JsonSerializable(typeof(LdapImportUsers))]
[JsonSerializable(typeof(List<LdapFailedImportUser>))]
[JsonSerializable(typeof(List<LdapGroupAnswer>))]
[JsonSerializable(typeof(List<SessionAnswer>))]
[JsonSerializable(typeof(Dictionary<string, string>))]
[JsonSerializable(typeof(List<string>))]
[JsonSerializable(typeof(RobotTrustBody))]
[JsonSerializable(typeof(List<RobotTrustBody>))]
internal sealed partial class SignInJson : JsonSerializerContext;
