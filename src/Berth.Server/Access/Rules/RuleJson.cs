using System.Text.Json.Serialization;

namespace Berth.Server.Access.Rules;

/// <summary>Who a rule is about.</summary>
/// <param name="Kind"><c>user</c>, <c>group</c>, <c>robot</c>, <c>role</c> or <c>anybody</c>.</param>
/// <param name="Name">Name; left out for anybody.</param>
public sealed record RuleSubject(string? Kind, string? Name);

/// <summary>An access rule below a project.</summary>
public sealed record RuleJson
{
    public long? Id { get; init; }

    public RuleSubject? Subject { get; init; }

    /// <summary>Glob over repositories without the project; everything when it is left out.</summary>
    public string? Repository { get; init; }

    /// <summary>Glob over tags; everything when it is left out.</summary>
    public string? Tag { get; init; }

    /// <summary>Some of <c>pull</c>, <c>push</c>, <c>delete</c>, <c>create</c> and <c>retag</c>.</summary>
    public IReadOnlyList<string?>? Actions { get; init; }

    /// <summary><c>allow</c> or <c>deny</c>.</summary>
    public string? Effect { get; init; }

    public string? Description { get; init; }

    public string? CreationTime { get; init; }
}

/// <summary>Why somebody may or may not do something.</summary>
public sealed record Explanation
{
    public bool Allowed { get; init; }

    /// <summary><c>user:alice</c>, <c>robot:ci</c> or <c>anonymous</c>.</summary>
    public required string Subject { get; init; }

    public required string Action { get; init; }

    public string? Project { get; init; }

    public string? Repository { get; init; }

    public string? Tag { get; init; }

    /// <summary>
    /// <c>administrator</c>, <c>role</c>, <c>public</c>, <c>robot</c>, <c>rule</c>, <c>token</c>, <c>lock</c>, <c>immutability</c>, <c>account</c>, <c>project</c> or
    /// <c>nothing</c>.
    /// </summary>
    public required string DecidedBy { get; init; }

    /// <summary>A sentence for people.</summary>
    public required string Text { get; init; }

    /// <summary>Roles of the subject in the project, and through what.</summary>
    public IReadOnlyList<ExplainedRole>? Roles { get; init; }

    /// <summary>The rule that decides.</summary>
    public RuleJson? Rule { get; init; }

    /// <summary>The immutable rule that decides.</summary>
    public long? ImmutableRuleId { get; init; }
}

/// <summary>A role in the project.</summary>
/// <param name="Id">Number of the role.</param>
/// <param name="Name">Its name.</param>
/// <param name="MemberId">Number of the membership.</param>
/// <param name="Via">Whose membership it is: <c>user:alice</c>, <c>group:developers</c>.</param>
/// <param name="Allows">Whether the role allows the action.</param>
public sealed record ExplainedRole(long Id, string Name, long MemberId, string Via, bool Allows);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RuleJson))]
[JsonSerializable(typeof(List<RuleJson>))]
[JsonSerializable(typeof(Explanation))]
internal sealed partial class RuleJsonContext : JsonSerializerContext;
