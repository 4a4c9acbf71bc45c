using System.Xml.Linq;
using Berth.Scanner.Inventory.Analyzers.Text;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Java;

/// <summary>Build files of Gradle, sbt and Maven.</summary>
internal static class JavaBuildFiles
{
    private static readonly HashSet<string> Tests = new(StringComparer.Ordinal) { "testCompileClasspath", "testRuntimeClasspath", "testAnnotationProcessor" };

    /// <summary><c>gradle.lockfile</c>: lines of <c>group:artifact:version=configurations</c>.</summary>
    public static void Gradle(FileContent content, FileReport report)
    {
        foreach (var raw in Lines.Of(content.Bytes()))
        {
            var line = raw.Trim();
            if (line.Length == 0 || line[0] == '#' || line.StartsWith("empty=", StringComparison.Ordinal)) continue;
            var equals = line.IndexOf('=');
            var parts = (equals < 0 ? line : line[..equals]).Split(':');
            if (parts.Length != 3 || parts.Any(part => part.Length == 0)) continue;
            var configurations = equals < 0 ? [] : line[(equals + 1)..].Split(',');
            report.Add(new Package(PackageType.Maven, parts[0] + ":" + parts[1], parts[2]) { IsDevelopment = configurations.Length > 0 && configurations.All(Tests.Contains) });
        }
    }

    /// <summary><c>build.sbt.lock</c> of sbt-dependency-lock.</summary>
    public static void Sbt(FileContent content, FileReport report)
    {
        foreach (var one in JsonText.Map(content.Bytes().Span)["dependencies"].Items)
        {
            var scopes = one["configurations"].Items;
            if (one.Of("org").Length == 0 || one.Of("name").Length == 0 || one.Of("version").Length == 0) continue;
            report.Add(new Package(PackageType.Maven, one.Of("org") + ":" + one.Of("name"), one.Of("version")) { IsDevelopment = scopes.Count > 0 && scopes.All(scope => scope.Text == "test") });
        }
    }

    /// <summary><c>pom.xml</c>: dependencies whose version the file itself pins, by a number, a property or its dependency management.</summary>
    public static void Pom(FileContent content, FileReport report)
    {
        var project = XmlText.Read(content.Bytes());
        if (project.Name.LocalName != "project") return;
        var properties = Properties(project);
        var managed = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var one in XmlText.Children(project, "dependencyManagement").SelectMany(all => Dependencies(all, properties))) managed.TryAdd(one.Name, one.Version);
        foreach (var (name, version, scope) in Dependencies(project, properties))
        {
            var pinned = version.Length > 0 ? version : managed.GetValueOrDefault(name, "");
            pinned = pinned.Trim('[', ']');
            if (pinned.Length == 0 || pinned.IndexOfAny(['$', '(', ',', ' ']) >= 0 || name.Contains('$')) continue;
            report.Add(new Package(PackageType.Maven, name, pinned) { IsDevelopment = scope == "test", Relationship = PackageRelationship.Direct });
        }
    }

    private static Dictionary<string, string> Properties(XElement project)
    {
        var properties = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var one in XmlText.Children(project, "properties").SelectMany(group => group.Elements())) properties[one.Name.LocalName] = one.Value.Trim();
        foreach (var owner in XmlText.Children(project, "parent").Append(project))
        {
            foreach (var field in (string[])["version", "groupId", "artifactId"])
            {
                if (XmlText.Child(owner, field) is not { Length: > 0 } value) continue;
                properties["project." + field] = properties["pom." + field] = properties[field] = value;
                if (owner != project) properties["project.parent." + field] = value;
            }
        }
        return properties;
    }

    private static IEnumerable<(string Name, string Version, string Scope)> Dependencies(XElement owner, Dictionary<string, string> properties) =>
        from list in XmlText.Children(owner, "dependencies")
        from one in XmlText.Children(list, "dependency")
        let name = Filled(XmlText.Child(one, "groupId"), properties) + ":" + Filled(XmlText.Child(one, "artifactId"), properties)
        where name.Length > 2
        select (name, Filled(XmlText.Child(one, "version"), properties), XmlText.Child(one, "scope"));

    // Properties may name properties; a few rounds are enough, and circles end.
    private static string Filled(string text, Dictionary<string, string> properties)
    {
        for (var round = 0; round < 5; round++)
        {
            var open = text.IndexOf("${", StringComparison.Ordinal);
            var close = open < 0 ? -1 : text.IndexOf('}', open);
            if (close < 0 || text.Length > 512 || !properties.TryGetValue(text[(open + 2)..close], out var value)) return text;
            text = text[..open] + value + text[(close + 1)..];
        }
        return text;
    }
}
