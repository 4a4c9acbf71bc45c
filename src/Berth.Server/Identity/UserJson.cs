using System.Text.Json.Serialization;
using Berth.Server.Api;

namespace Berth.Server.Identity;

/// <summary>A user as Harbor's API shows one (<c>UserResp</c>).</summary>
public sealed record UserAnswer
{
    public string? Email { get; init; }

    [JsonPropertyName("realname")]
    public string? RealName { get; init; }

    public string? Comment { get; init; }

    public required long UserId { get; init; }

    public required string Username { get; init; }

    public required bool SysadminFlag { get; init; }

    /// <summary>The source of the user says so; told to the user only.</summary>
    public bool? AdminRoleInAuth { get; init; }

    /// <summary>For users of an OpenID provider.</summary>
    public OidcUserAnswer? OidcUserMeta { get; init; }

    public required string CreationTime { get; init; }

    public required string UpdateTime { get; init; }

    internal static UserAnswer Of(User user, bool isSelf = false) => new()
    {
        Email = Known(user.Email),
        RealName = Known(user.RealName),
        Comment = Known(user.Comment),
        UserId = user.Id,
        Username = user.Name,
        SysadminFlag = user.IsAdmin,
        AdminRoleInAuth = isSelf && user.IsAdminBySource ? true : null,
        OidcUserMeta = user.Source.StartsWith("oidc:", StringComparison.Ordinal)
            ? new OidcUserAnswer(user.Id, user.Id, user.ExternalId ?? "", ApiTime.Text(user.CreatedAt), ApiTime.Text(user.UpdatedAt))
            : null,
        CreationTime = ApiTime.Text(user.CreatedAt),
        UpdateTime = ApiTime.Text(user.UpdatedAt),
    };

    private static string? Known(string text) => text.Length == 0 ? null : text;
}

/// <summary>What is known of a user of an OpenID provider (<c>OIDCUserInfo</c>). The CLI secret is kept as a hash and cannot be shown.</summary>
public sealed record OidcUserAnswer(long Id, long UserId, string Subiss, string CreationTime, string UpdateTime);

/// <summary>Id and name of a user (<c>UserSearchRespItem</c>).</summary>
public sealed record UserName(long UserId, string Username);

/// <summary>Somebody's account as it is to be made (<c>UserCreationReq</c>).</summary>
public sealed record NewUser(string? Username, string? Email, string? Realname, string? Comment, string? Password);

/// <summary>What a user may change of the account (<c>UserProfile</c>).</summary>
public sealed record UserProfile(string? Email, string? Realname, string? Comment);

/// <summary>A change of password (<c>PasswordReq</c>).</summary>
public sealed record PasswordChange(string? OldPassword, string? NewPassword);

/// <summary>Whether somebody is an administrator (<c>UserSysAdminFlag</c>).</summary>
public sealed record AdminFlag(bool SysadminFlag);

/// <summary>A secret for command line clients (<c>OIDCCliSecretReq</c>).</summary>
public sealed record CliSecret(string? Secret);

/// <summary>What administrators see of an account beyond Harbor's words.</summary>
public sealed record UserState
{
    public required long Id { get; init; }

    public required string Name { get; init; }

    /// <summary><c>local</c>, <c>ldap</c>, <c>oidc:NAME</c>, <c>proxy</c>, <c>certificate</c>.</summary>
    public required string Source { get; init; }

    public required bool IsAdmin { get; init; }

    public required bool IsDisabled { get; init; }

    public required bool MustChangePassword { get; init; }

    /// <summary>Failed sign-ins with the name since the last good one.</summary>
    public required int FailedSignIns { get; init; }

    /// <summary>Until when the name is locked; missing when it is not.</summary>
    public string? LockedUntil { get; init; }
}

/// <summary>A change of an account's state; what is missing stays.</summary>
public sealed record UserStateChange(bool? IsDisabled, bool? MustChangePassword);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(UserAnswer))]
[JsonSerializable(typeof(List<UserAnswer>))]
[JsonSerializable(typeof(List<UserName>))]
[JsonSerializable(typeof(NewUser))]
[JsonSerializable(typeof(UserProfile))]
[JsonSerializable(typeof(PasswordChange))]
[JsonSerializable(typeof(AdminFlag))]
[JsonSerializable(typeof(CliSecret))]
[JsonSerializable(typeof(UserState))]
[JsonSerializable(typeof(UserStateChange))]
[JsonSerializable(typeof(GroupAnswer))]
[JsonSerializable(typeof(List<GroupAnswer>))]
[JsonSerializable(typeof(List<GroupName>))]
[JsonSerializable(typeof(GroupRequest))]
[JsonSerializable(typeof(GroupMember))]
internal sealed partial class IdentityJson : JsonSerializerContext;
