using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Berth.Server.Retention.Dialects;

/// <summary>All forms in which policies are read and written. <c>berth</c> is our own, which can say everything.</summary>
internal static class RetentionDialects
{
    /// <summary>Our own form: also how policies are stored.</summary>
    public const string Own = "berth";

    // By reflection: generated readers lose the values that properties have when a policy leaves them out.
    private static readonly JsonTypeInfo<RetentionRuleSet> s_ruleSet = (JsonTypeInfo<RetentionRuleSet>)new JsonSerializerOptions
    {
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        AllowDuplicateProperties = false,
    }.GetTypeInfo(typeof(RetentionRuleSet));

    private static readonly Dictionary<string, (Func<string, DialectReading> Read, Func<RetentionRuleSet, DialectWriting> Write)> s_dialects = new(StringComparer.Ordinal)
    {
        [Own] = (ReadOwn, set => new DialectWriting(WriteOwn(set), [])),
        ["harbor"] = (HarborRetention.Read, HarborRetention.Write),
        ["ecr"] = (EcrLifecycle.Read, EcrLifecycle.Write),
        ["artifact-registry"] = (ArtifactRegistryCleanup.Read, ArtifactRegistryCleanup.Write),
        ["quay"] = (QuayAutoPrune.Read, QuayAutoPrune.Write),
        ["zot"] = (ZotRetention.Read, ZotRetention.Write),
        ["acr-purge"] = (AcrPurge.Read, AcrPurge.Write),
        ["nexus"] = (NexusCleanup.Read, NexusCleanup.Write),
    };

    /// <summary>Their names.</summary>
    public static IEnumerable<string> Names => s_dialects.Keys;

    /// <summary>Reads a policy; null for a form that is not known.</summary>
    public static DialectReading? Read(string dialect, string text) => s_dialects.TryGetValue(dialect, out var found) ? found.Read(text) : null;

    /// <summary>Writes a policy; null for a form that is not known.</summary>
    public static DialectWriting? Write(string dialect, RetentionRuleSet set) => s_dialects.TryGetValue(dialect, out var found) ? found.Write(set) : null;

    /// <summary>Our own form.</summary>
    public static string WriteOwn(RetentionRuleSet set) => JsonSerializer.Serialize(set, s_ruleSet);

    // Annotations say nothing about what lists hold.
    private static bool HasGap(RetentionRuleSet set) => set.Rules.Any(r => r is null || r.Conditions.Any(c => c is null) || HasGap(r.Selection));

    private static bool HasGap(RetentionSelection selection) =>
        ((IReadOnlyList<NamePattern>[])[selection.Repositories, selection.NotRepositories, selection.Tags, selection.Labels, selection.Types, selection.Digests, selection.Paths]).Any(l => l.Any(p => p is null));

    private static DialectReading ReadOwn(string text)
    {
        if (text.Length > DialectText.MaxLength) return DialectReading.Refused($"the policy is longer than {DialectText.MaxLength} characters");
        try
        {
            if (JsonSerializer.Deserialize(text, s_ruleSet) is not { } set) return DialectReading.Refused("the policy is empty");
            return HasGap(set) ? DialectReading.Refused("the policy cannot be read: a list holds null") : DialectReading.Of(set, []);
        }
        catch (JsonException e)
        {
            return DialectReading.Refused($"the policy cannot be read: {e.Message}");
        }
    }
}
