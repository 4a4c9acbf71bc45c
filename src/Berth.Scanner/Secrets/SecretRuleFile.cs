using System.Text;
using Berth.Scanner.Advisories;
using Berth.Scanner.Inventory.Analyzers.Text;

namespace Berth.Scanner.Secrets;

/// <summary>
/// A file with rules in the form of Trivy's <c>trivy-secret.yaml</c>: <c>rules</c>, <c>allow-rules</c>, <c>enable-builtin-rules</c> (only those), <c>disable-rules</c>,
/// <c>disable-allow-rules</c>.
/// </summary>
public static class SecretRuleFile
{
    /// <summary>Reads a file and joins it with the built-in rules; a rule with the id of a built-in one replaces it. Throws <see cref="FormatException"/> with what is wrong.</summary>
    public static SecretScanner Read(ReadOnlySpan<byte> content)
    {
        DataNode root;
        try
        {
            root = YamlText.Read(content);
        }
        catch (Exception e) when (e is InvalidDataException or DecoderFallbackException)
        {
            throw new FormatException($"the rules are no YAML that can be read: {e.Message}", e);
        }
        var own = root["rules"].Items.Select(Rule).ToList();
        var enabled = Texts(root["enable-builtin-rules"]);
        var disabled = Texts(root["disable-rules"]);
        var disabledAllow = Texts(root["disable-allow-rules"]);
        var rules = BuiltInSecretRules.All.Where(r => enabled.Count == 0 || enabled.Contains(r.Id)).Where(r => own.TrueForAll(o => o.Id != r.Id)).Concat(own).Where(r => !disabled.Contains(r.Id));
        var allow = BuiltInSecretRules.AllowRules.Concat(root["allow-rules"].Items.Select(AllowRule)).Where(r => !disabledAllow.Contains(r.Id));
        return new SecretScanner([.. rules], [.. allow]);
    }

    private static SecretRule Rule(DataNode node)
    {
        if (node.Of("id").Length == 0 || node.Of("regex").Length == 0)
            throw new FormatException("a rule has no id or no regex");
        return new SecretRule(node.Of("id"), node.Of("category"), node.Of("title"), Severities.Parse(node.Of("severity")), node.Of("regex"))
        {
            Keywords = [.. Texts(node["keywords"])],
            PathPattern = node.Of("path"),
            Group = node.Of("secret-group-name"),
            AllowRules = [.. node["allow-rules"].Items.Select(AllowRule)],
        };
    }

    private static SecretAllowRule AllowRule(DataNode node) => new(node.Of("id"), node.Of("regex"), node.Of("path"));

    private static HashSet<string> Texts(DataNode list) => [.. list.Items.Select(static i => i.Text ?? "").Where(static t => t.Length > 0)];
}
