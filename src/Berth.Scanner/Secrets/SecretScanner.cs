using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Berth.Scanner.Secrets;

/// <summary>Looks for secrets in files. Expressions run in time linear in the file; files that are large or no text are left out. May be used from many threads.</summary>
public sealed class SecretScanner
{
    /// <summary>Largest file that is looked at, in bytes.</summary>
    public const int MaxFileBytes = 10 * 1024 * 1024;

    private const int MaxFindings = 100;
    private const int MaxShown = 120;

    /// <summary>First bytes of a file that tell whether it is text.</summary>
    public const int ProbeBytes = 1024;

    private readonly List<Compiled> _rules;
    private readonly List<(Regex? Text, Regex? Path)> _allow;

    private sealed record Compiled(SecretRule Rule, Regex Pattern, Regex? Path, List<(Regex? Text, Regex? Path)> Allow);

    /// <summary>Throws <see cref="FormatException"/> when an expression cannot be read.</summary>
    public SecretScanner(IReadOnlyList<SecretRule> rules, IReadOnlyList<SecretAllowRule> allowRules)
    {
        _rules = [.. rules.Select(static r => new Compiled(r, SecretPattern.Read(r.Pattern), Optional(r.PathPattern), Compile(r.AllowRules)))];
        _allow = Compile(allowRules);
        Id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', rules.Select(Line).Concat(allowRules.Select(static a => $"{a.Pattern}\t{a.PathPattern}"))))));

        static string Line(SecretRule rule) =>
            $"{rule.Id}\t{rule.Severity}\t{rule.Pattern}\t{rule.PathPattern}\t{string.Join(' ', rule.Keywords)}\t{string.Join(' ', rule.AllowRules.Select(static a => $"{a.Pattern} {a.PathPattern}"))}";
    }

    /// <summary>Digest of the rules: what they found is told apart from what others find by it.</summary>
    public string Id { get; }

    /// <summary>With the built-in rules.</summary>
    public static SecretScanner Default { get; } = new(BuiltInSecretRules.All, BuiltInSecretRules.AllowRules);

    /// <summary>Whether a file of that path is worth reading.</summary>
    public bool Wants(string path, long sizeBytes) => sizeBytes is > 10 and <= MaxFileBytes && !_allow.Exists(a => a.Text is null && a.Path?.IsMatch(path) == true);

    /// <summary>Whether a file that begins so is text.</summary>
    public static bool IsText(ReadOnlySpan<byte> head) => !head.Contains((byte)0);

    /// <summary>The secrets of a file, by line; nothing when it is no text.</summary>
    public IReadOnlyList<SecretFinding> Scan(string path, ReadOnlySpan<byte> content)
    {
        if (!Wants(path, content.Length) || !IsText(content[..Math.Min(content.Length, ProbeBytes)]))
            return [];
        var text = Encoding.UTF8.GetString(content);
        var found = new List<SecretFinding>();
        var secrets = new List<(int At, int Length)>();
        foreach (var rule in _rules)
        {
            if (rule.Path?.IsMatch(path) == false || (rule.Rule.Keywords.Count > 0 && !rule.Rule.Keywords.Any(k => text.Contains(k, StringComparison.OrdinalIgnoreCase))))
                continue;
            for (var match = rule.Pattern.Match(text); match.Success && found.Count < MaxFindings; match = match.NextMatch())
            {
                Capture secret = rule.Rule.Group.Length > 0 && match.Groups[rule.Rule.Group] is { Success: true } group ? group : match;
                if (IsAllowed(rule, path, secret.Value))
                    continue;
                secrets.Add((secret.Index, secret.Length));
                found.Add(new SecretFinding(
                    rule.Rule.Id, rule.Rule.Category, rule.Rule.Title, rule.Rule.Severity, path, Line(text, secret.Index), Line(text, secret.Index + Math.Max(0, secret.Length - 1)), ""));
            }
        }
        return Shown(text, found, secrets);
    }

    /// <summary>Fills in the lines once all secrets are known, so that no line shows the secret of another rule.</summary>
    private static List<SecretFinding> Shown(string text, List<SecretFinding> found, List<(int At, int Length)> secrets)
    {
        if (found.Count == 0)
            return found;
        var masked = new StringBuilder(text);
        foreach (var (at, length) in secrets)
        {
            for (var i = at; i < at + length; i++)
            {
                if (masked[i] != '\n')
                    masked[i] = '*';
            }
        }
        var clean = masked.ToString();
        return [.. found.Select((f, i) => f with { Match = Around(clean, secrets[i].At) }).OrderBy(static f => f.StartLine).ThenBy(static f => f.RuleId, StringComparer.Ordinal)];
    }

    private static string Around(string text, int at)
    {
        var start = at == 0 ? 0 : text.LastIndexOf('\n', at - 1) + 1;
        var end = text.IndexOf('\n', at);
        if (end < 0)
            end = text.Length;
        start = Math.Max(start, at - (MaxShown / 2));
        end = Math.Min(end, start + MaxShown);
        return text[start..end].Trim();
    }

    private bool IsAllowed(Compiled rule, string path, string secret) =>
        _allow.Concat(rule.Allow).Any(a => (a.Text is not null || a.Path is not null) && a.Text?.IsMatch(secret) != false && a.Path?.IsMatch(path) != false);

    private static int Line(string text, int at) => text.AsSpan(0, at).Count('\n') + 1;

    private static List<(Regex?, Regex?)> Compile(IReadOnlyList<SecretAllowRule> rules) => [.. rules.Select(static r => (Optional(r.Pattern), Optional(r.PathPattern)))];

    private static Regex? Optional(string pattern) => pattern.Length == 0 ? null : SecretPattern.Read(pattern);
}
