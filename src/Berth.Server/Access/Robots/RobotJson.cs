using System.Text.Json.Serialization;

namespace Berth.Server.Access.Robots;

/// <summary>A robot as Harbor's API shows one (<c>Robot</c>).</summary>
public sealed record RobotAnswer
{
    public required long Id { get; init; }

    /// <summary>With the prefix: what it signs in with.</summary>
    public required string Name { get; init; }

    public string? Description { get; init; }

    /// <summary><c>system</c> or <c>project</c>.</summary>
    public required string Level { get; init; }

    /// <summary>Days from its making; -1 for no end.</summary>
    public required long Duration { get; init; }

    public required bool Editable { get; init; }

    public required bool Disable { get; init; }

    /// <summary>Unix seconds; -1 for never.</summary>
    public required long ExpiresAt { get; init; }

    public required IReadOnlyList<RobotGrant> Permissions { get; init; }

    /// <summary><c>local</c> for users, <c>robot</c>.</summary>
    public required string CreatorType { get; init; }

    public required long CreatorRef { get; init; }

    public required string CreationTime { get; init; }

    public required string UpdateTime { get; init; }
}

/// <summary>What a robot may do in one place (<c>RobotPermission</c>).</summary>
/// <param name="Kind"><c>system</c> or <c>project</c>.</param>
/// <param name="Namespace"><c>/</c> for the system, name of a project, or <c>*</c> for all projects.</param>
/// <param name="Access">The permissions.</param>
public sealed record RobotGrant(string? Kind, string? Namespace, IReadOnlyList<RobotAccess?>? Access);

/// <summary>One permission (<c>Access</c>). The effect is always <c>allow</c>.</summary>
public sealed record RobotAccess(string? Resource, string? Action, string? Effect);

/// <summary>A robot that is to be made or changed (<c>RobotCreate</c>, <c>Robot</c>).</summary>
public sealed record RobotRequest
{
    public string? Name { get; init; }

    public string? Description { get; init; }

    public string? Level { get; init; }

    public bool Disable { get; init; }

    public long? Duration { get; init; }

    public IReadOnlyList<RobotGrant?>? Permissions { get; init; }
}

/// <summary>A robot that was just made, with its secret (<c>RobotCreated</c>).</summary>
public sealed record RobotCreated(long Id, string Name, string Secret, string CreationTime, long ExpiresAt);

/// <summary>A secret (<c>RobotSec</c>); empty when the caller chose it.</summary>
public sealed record RobotSecret(string? Secret);

/// <summary>How to rotate a secret.</summary>
/// <param name="GraceSeconds">How long the secret before stays good; one day when missing.</param>
public sealed record RotationRequest(long? GraceSeconds);

/// <summary>A rotated secret.</summary>
public sealed record Rotation(long Id, string Name, string Secret, string PreviousSecretEndsAt);

/// <summary>What Harbor has no words for.</summary>
public sealed record RobotState(long Id, string Name, bool IsDisabled, string? ExpiresAt, string? LastUsedAt, string? PreviousSecretEndsAt);

/// <summary>A permission of two words (<c>Permission</c>).</summary>
public sealed record PermissionWords(string Resource, string Action);

/// <summary>What robots can be given (<c>Permissions</c>).</summary>
public sealed record PermissionTable(IReadOnlyList<PermissionWords>? System, IReadOnlyList<PermissionWords> Project);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RobotAnswer))]
[JsonSerializable(typeof(List<RobotAnswer>))]
[JsonSerializable(typeof(RobotRequest))]
[JsonSerializable(typeof(RobotCreated))]
[JsonSerializable(typeof(RobotSecret))]
[JsonSerializable(typeof(RotationRequest))]
[JsonSerializable(typeof(Rotation))]
[JsonSerializable(typeof(RobotState))]
[JsonSerializable(typeof(PermissionTable))]
[JsonSerializable(typeof(List<PermissionWords>))]
internal sealed partial class RobotJson : JsonSerializerContext;
