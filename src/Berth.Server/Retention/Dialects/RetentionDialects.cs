using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Berth.Server.Retention.Dialects;

/// <summary>All forms in which policies are read and written. <c>berth</c> is our own, which can say everything.</summary>
internal static class RetentionDialects
{
    /// <summary>Our own form: also how policies are stored.</summary>
    public const string Own = "berth";

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
    public static string WriteOwn(RetentionRuleSet set) => JsonSerializer.Serialize(set, RuleSetJson.Default.RetentionRuleSet);

    private static IEnumerable<JsonNode?> Items(JsonNode? node, string name) => (node as JsonObject)?[name] as JsonArray ?? [];

    private static void FillIn(JsonNode? node, JsonObject defaults)
    {
        if (node is not JsonObject given) return;
        foreach (var (name, value) in defaults)
        {
            if (!given.ContainsKey(name)) given[name] = value?.DeepClone();
        }
    }

    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false };
    private static readonly JsonObject s_set = JsonSerializer.SerializeToNode(new RetentionRuleSet(), RuleSetJson.Default.RetentionRuleSet)!.AsObject();
    private static readonly JsonObject s_rule = DefaultRule();
    private static readonly JsonObject s_selection = s_rule["selection"]!.AsObject();

    // But for the name, which must be given.
    private static JsonObject DefaultRule()
    {
        var set = JsonSerializer.SerializeToNode(new RetentionRuleSet { Rules = [new RetentionRule { Name = "" }] }, RuleSetJson.Default.RetentionRuleSet)!;
        var rule = set["rules"]![0]!.DeepClone().AsObject();
        rule.Remove("name");
        return rule;
    }

    private static DialectReading ReadOwn(string text)
    {
        if (text.Length > DialectText.MaxLength) return DialectReading.Refused($"the policy is longer than {DialectText.MaxLength} characters");
        try
        {
            // What is left out has its default: the generated reader would make it null or zero.
            var whole = JsonNode.Parse(text, documentOptions: s_strict);
            FillIn(whole, s_set);
            foreach (var rule in Items(whole, "rules"))
            {
                if (rule is not JsonObject) return DialectReading.Refused("the policy cannot be read: a rule is an object");
                FillIn(rule, s_rule);
                FillIn(rule["selection"], s_selection);
            }
            return whole.Deserialize(RuleSetJson.Default.RetentionRuleSet) is { } set ? DialectReading.Of(set, []) : DialectReading.Refused("the policy is empty");
        }
        catch (JsonException e)
        {
            return DialectReading.Refused($"the policy cannot be read: {e.Message}");
        }
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(RetentionRuleSet))]
internal sealed partial class RuleSetJson : JsonSerializerContext;
