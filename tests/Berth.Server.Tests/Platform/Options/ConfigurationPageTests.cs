using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Berth.Server.Platform.Options;

namespace Berth.Server.Tests.Platform.Options;

/// <summary>The reference table in <c>docs/configuration.md</c> is written from the option records and their documentation.</summary>
public sealed class ConfigurationPageTests
{
    private static readonly Dictionary<string, string> Documentation = Assemblies().SelectMany(Members).ToDictionary();

    [Fact]
    public void The_page_lists_every_setting()
    {
        var table = new StringBuilder("| Setting | Environment variable | Default | Meaning |\n| --- | --- | --- | --- |\n");
        foreach (var key in OptionsSchema.Keys(typeof(BerthOptions)))
        {
            var value = OptionsSchema.Text(key.Default, key.Property);
            table.Append($"| `{key.Path}` | `{OptionsSchema.VariableOf("BERTH_", key.Path)}` | {(value.Length == 0 ? "" : $"`{value}`")} | {Meaning(key)} |\n");
        }
        Approval.VerifyPart(table.ToString(), "docs/configuration.md", "settings");
    }

    [Fact]
    public void Every_setting_says_what_it_means() =>
        Assert.All(OptionsSchema.Keys(typeof(BerthOptions)), key => Assert.NotEmpty(Meaning(key)));

    [Fact]
    public void Every_setting_documented_as_secret_is_masked() =>
        Assert.All(OptionsSchema.Keys(typeof(BerthOptions)), key => Assert.Equal(Meaning(key).Contains("Secret.", StringComparison.Ordinal), key.IsSecret));

    [Theory]
    [MemberData(nameof(Examples))]
    public void The_examples_on_the_page_are_valid(string yaml)
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, yaml);
        var configuration = BerthConfiguration.Load(new ConfigurationSources { File = file }, out var problems);
        File.Delete(file);
        Assert.DoesNotContain(problems, problem => !problem.Message.Contains("does not exist", StringComparison.Ordinal));
        Assert.True(configuration is not null || problems.Count > 0);
    }

    public static TheoryData<string> Examples() => new(
        new[] { "configuration.md", "migrating-from-docker-registry.md" }
            .SelectMany(page => Regex.Matches(File.ReadAllText(Page(page)), "```yaml\n(.*?)```", RegexOptions.Singleline))
            .Select(match => match.Groups[1].Value));

    private static string Meaning(SettingKey key)
    {
        var text = Documentation.GetValueOrDefault($"P:{key.Property.DeclaringType!.FullName}.{key.Property.Name}", "");
        if (key.Property.PropertyType.IsEnum)
            text += " One of " + string.Join(", ", Enum.GetNames(key.Property.PropertyType).Select(name => $"`{OptionsSchema.CamelCase(name)}`")) + ".";
        return text.Replace("|", "\\|", StringComparison.Ordinal).Trim();
    }

    private static Assembly[] Assemblies() => [typeof(BerthOptions).Assembly, typeof(Blobs.BlobStoreOptions).Assembly];

    private static IEnumerable<KeyValuePair<string, string>> Members(Assembly assembly) =>
        XDocument.Load(Path.ChangeExtension(assembly.Location, ".xml")).Descendants("member")
            .Where(member => member.Element("summary") is not null)
            .Select(member => KeyValuePair.Create(member.Attribute("name")!.Value, Markdown(member.Element("summary")!)));

    private static string Markdown(XElement summary)
    {
        var text = string.Concat(summary.Nodes().Select(node => node switch
        {
            XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
            XElement { Name.LocalName: "see" } see => $"`{OptionsSchema.CamelCase(see.Attribute("cref")!.Value.Split('.')[^1])}`",
            XText plain => plain.Value,
            _ => node.ToString(),
        }));
        return Regex.Replace(text, @"\s+", " ").Trim();
    }

    private static string Page(string name, [System.Runtime.CompilerServices.CallerFilePath] string caller = "") =>
        Path.Combine(Path.GetDirectoryName(caller)!, "..", "..", "..", "..", "docs", name);
}
