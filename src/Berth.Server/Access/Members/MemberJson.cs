using System.Text.Json.Serialization;

namespace Berth.Server.Access.Members;

/// <summary>Whom a client makes a member: exactly one of user and group.</summary>
public sealed record MemberRequest
{
    public long? RoleId { get; init; }

    public MemberUser? MemberUser { get; init; }

    public MemberGroup? MemberGroup { get; init; }
}

/// <summary>A user, by number or name.</summary>
public sealed record MemberUser
{
    public long? UserId { get; init; }

    public string? Username { get; init; }
}

/// <summary>A group, by number, distinguished name or name.</summary>
public sealed record MemberGroup
{
    public long? Id { get; init; }

    public string? GroupName { get; init; }

    public int? GroupType { get; init; }

    public string? LdapGroupDn { get; init; }
}

/// <summary>The role that a member gets.</summary>
public sealed record MemberRoleRequest
{
    public long? RoleId { get; init; }
}

/// <summary>A member as Harbor shows it.</summary>
public sealed record MemberEntity
{
    public long Id { get; init; }

    public long ProjectId { get; init; }

    public required string EntityName { get; init; }

    public required string RoleName { get; init; }

    public long RoleId { get; init; }

    public long EntityId { get; init; }

    /// <summary><c>u</c> for a user, <c>g</c> for a group.</summary>
    public required string EntityType { get; init; }
}

/// <summary>Whom a client makes a member, in our own words; robots too.</summary>
/// <param name="Kind"><c>user</c>, <c>group</c> or <c>robot</c>.</param>
/// <param name="Name">Name of the user, group or robot.</param>
/// <param name="Role">Name or number of a role.</param>
public sealed record BerthMemberRequest(string? Kind, string? Name, string? Role);

/// <summary>A member in our own words.</summary>
public sealed record BerthMember(long Id, string Kind, string Name, long RoleId, string Role);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(MemberRequest))]
[JsonSerializable(typeof(MemberRoleRequest))]
[JsonSerializable(typeof(MemberEntity))]
[JsonSerializable(typeof(List<MemberEntity>))]
[JsonSerializable(typeof(BerthMemberRequest))]
[JsonSerializable(typeof(BerthMember))]
[JsonSerializable(typeof(List<BerthMember>))]
internal sealed partial class MemberJsonContext : JsonSerializerContext;
