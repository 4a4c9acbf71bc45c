using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Server.Api;

namespace Berth.Server.Audit;

/// <summary>Which entries a purge removes; payload of its jobs, parameters in Harbor's words.</summary>
public sealed record PurgePolicy : IRunPolicy
{
    /// <summary>Longest retention in hours; Harbor's.</summary>
    public const int MaxRetentionHour = 240_000;

    /// <summary>Entries of the last so many hours stay.</summary>
    public int AuditRetentionHour { get; init; }

    /// <summary>Types of events that are removed, separated by commas; <c>other</c> is everything but the three of artifacts. Empty removes nothing.</summary>
    public string IncludeEventTypes { get; init; } = "";

    /// <summary>Only count.</summary>
    public bool DryRun { get; init; }

    /// <summary>How the schedule was given: <c>Hourly</c>, <c>Daily</c>, <c>Weekly</c>, <c>Custom</c>; null for a single run.</summary>
    public string? ScheduleType { get; set; }

    /// <summary>Reads Harbor's parameters; the sentence says what is wrong with them, or is null.</summary>
    public static string? TryRead(IReadOnlyDictionary<string, JsonElement>? parameters, out PurgePolicy policy)
    {
        policy = new PurgePolicy();
        if (parameters is not { Count: > 0 }) return "schedule parameter cannot be empty";
        if (!parameters.TryGetValue("audit_retention_hour", out var hours)) return "audit_retention_hour should be provided";
        if (hours.ValueKind != JsonValueKind.Number || !hours.TryGetInt64(out var number)) return "audit_retention_hour should be an integer";
        if (number is < 0 or > MaxRetentionHour) return $"audit_retention_hour should be between 0 and {MaxRetentionHour}";
        if (!parameters.TryGetValue("include_event_types", out var types)) return "include_event_types should be provided";
        if (types.ValueKind != JsonValueKind.String) return "include_event_types should be a text";
        var unknown = AuditWords.ParseTypes(types.GetString()!).FirstOrDefault(t => t != AuditWords.Other && !AuditWords.EventTypes.Contains(t));
        if (unknown is not null) return $"include_event_types: {unknown} is no event type";
        var isDry = parameters.TryGetValue("dry_run", out var dry) && dry.ValueKind == JsonValueKind.True;
        policy = new PurgePolicy { AuditRetentionHour = (int)number, IncludeEventTypes = types.GetString()!, DryRun = isDry };
        return null;
    }

    /// <summary>The condition on the rows; null when it is none of them. It is made of our own words only.</summary>
    internal string? Condition()
    {
        var types = AuditWords.ParseTypes(IncludeEventTypes);
        var listed = AuditWords.EventTypes.Where(types.Contains).ToList();
        if (!types.Contains(AuditWords.Other)) return listed.Count == 0 ? null : $"operation || '_' || resource_type IN ({Quoted(listed)})";
        var kept = AuditWords.ArtifactTypes.Except(listed).ToList();
        return kept.Count == 0 ? "1 = 1" : $"operation || '_' || resource_type NOT IN ({Quoted(kept)})";
    }

    private static string Quoted(IEnumerable<string> words) => string.Join(", ", words.Select(w => $"'{w}'"));
}

/// <summary>What a purge did.</summary>
/// <param name="Purged">Entries that it removed, or would have.</param>
public sealed record PurgeResult(long Purged);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PurgePolicy))]
[JsonSerializable(typeof(PurgeResult))]
internal sealed partial class PurgeJson : JsonSerializerContext;
