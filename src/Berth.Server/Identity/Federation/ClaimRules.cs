using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Server.Identity.Issuers;

namespace Berth.Server.Identity.Federation;

/// <summary>
/// What the claims of a token must be, for it to stand for a robot: each named claim must match one of its patterns. In a pattern
/// <c>?</c> is one character and <c>*</c> any run of characters, both but a slash, and <c>**</c> any run at all; everything else means itself, case included.
/// </summary>
public sealed class ClaimRules
{
    private const int MaxRules = 32;
    private const int MaxPatterns = 100;
    private const int MaxPatternLength = 1024;

    private readonly SortedDictionary<string, IReadOnlyList<string>> _rules;

    private ClaimRules(SortedDictionary<string, IReadOnlyList<string>> rules) => _rules = rules;

    /// <summary>Patterns by name or path of the claim.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Rules => _rules;

    /// <summary>Takes rules; else everything that is wrong with them.</summary>
    public static (ClaimRules? Rules, IReadOnlyList<string> Problems) Create(IReadOnlyDictionary<string, IReadOnlyList<string>> rules)
    {
        var problems = new List<string>();
        if (rules.Count > MaxRules) problems.Add($"there are more than {MaxRules} claims");
        foreach (var (claim, patterns) in rules)
        {
            if (claim.Length == 0) problems.Add("a claim has no name");
            if (patterns.Count is 0 or > MaxPatterns) problems.Add($"the claim \"{claim}\" needs at least one pattern, and at most {MaxPatterns}");
            if (patterns.Any(p => p.Length is 0 or > MaxPatternLength)) problems.Add($"a pattern of the claim \"{claim}\" is empty or longer than {MaxPatternLength} characters");
        }
        // An issuer such as GitHub's speaks for everybody on it: a rule must tell one from another.
        if (!rules.Any(r => r.Key is not ("iss" or "aud") && r.Value.Count > 0 && r.Value.All(IsTelling)))
            problems.Add("at least one claim besides iss and aud must be told, not by wildcards alone: the issuer gives tokens to others too");
        return problems.Count > 0
            ? (null, problems)
            : (new ClaimRules(new SortedDictionary<string, IReadOnlyList<string>>(rules.ToDictionary(r => r.Key, r => r.Value), StringComparer.Ordinal)), []);
    }

    /// <summary>Reads rules that <see cref="ToJson"/> has written.</summary>
    /// <exception cref="InvalidDataException">They are malformed.</exception>
    public static ClaimRules Parse(string json)
    {
        try
        {
            var rules = JsonSerializer.Deserialize(json, ClaimRulesJson.Default.DictionaryStringIReadOnlyListString);
            return (rules is null ? null : Create(rules).Rules) ?? throw new InvalidDataException("claim rules in the database are malformed");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException("claim rules in the database are malformed", e);
        }
    }

    /// <summary>The rules as they are stored.</summary>
    public string ToJson() => JsonSerializer.Serialize(new Dictionary<string, IReadOnlyList<string>>(_rules), ClaimRulesJson.Default.DictionaryStringIReadOnlyListString);

    /// <summary>The first claim that is missing or does not match; null when all match.</summary>
    public string? FirstMismatch(JsonElement claims)
    {
        foreach (var (claim, patterns) in _rules)
        {
            if (ClaimPath.Texts(claims, claim) is not { } values || !values.Any(v => patterns.Any(p => Matches(p, v)))) return claim;
        }
        return null;
    }

    /// <summary>Whether a text matches a pattern. Takes at most length times length steps, whatever the pattern.</summary>
    public static bool Matches(string pattern, string text)
    {
        // Row by row over the pattern: which prefixes of the text can be matched by what was read of it.
        var reachable = new bool[text.Length + 1];
        reachable[0] = true;
        for (var p = 0; p < pattern.Length; p++)
        {
            if (pattern[p] == '*')
            {
                var crossesSlashes = p + 1 < pattern.Length && pattern[p + 1] == '*';
                while (p + 1 < pattern.Length && pattern[p + 1] == '*') p++;
                for (var t = 1; t <= text.Length; t++) reachable[t] |= reachable[t - 1] && (crossesSlashes || text[t - 1] != '/');
                continue;
            }
            for (var t = text.Length; t > 0; t--)
                reachable[t] = reachable[t - 1] && (pattern[p] == '?' ? text[t - 1] != '/' : text[t - 1] == pattern[p]);
            reachable[0] = false;
        }
        return reachable[text.Length];
    }

    private static bool IsTelling(string pattern) => pattern.Any(c => c is not ('*' or '?' or '/' or ':'));
}

[JsonSerializable(typeof(Dictionary<string, IReadOnlyList<string>>))]
internal sealed partial class ClaimRulesJson : JsonSerializerContext;
