namespace Berth.Server.Identity;

/// <summary>A group as Harbor's API shows one (<c>UserGroup</c>); the type is a <see cref="GroupKind"/>.</summary>
public sealed record GroupAnswer(long Id, string GroupName, int GroupType, string? LdapGroupDn);

/// <summary>A group in a search (<c>UserGroupSearchItem</c>).</summary>
public sealed record GroupName(long Id, [property: System.Text.Json.Serialization.JsonPropertyName("group_name")] string Name, int GroupType);

/// <summary>A group that is to be made or renamed.</summary>
public sealed record GroupRequest(string? GroupName, int GroupType, string? LdapGroupDn);

/// <summary>Somebody who is to be put into a local group: by id or by name.</summary>
public sealed record GroupMember(long? UserId, string? Username);
