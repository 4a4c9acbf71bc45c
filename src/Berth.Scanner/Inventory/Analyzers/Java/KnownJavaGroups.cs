namespace Berth.Scanner.Inventory.Analyzers.Java;

/// <summary>Groups of widespread libraries whose archives name none, by the artifact that the file is called after.</summary>
internal static class KnownJavaGroups
{
    // Older projects have one word for both.
    private static readonly HashSet<string> SameName = new(StringComparer.Ordinal)
    {
        "antlr", "aopalliance", "asm", "bsh", "c3p0", "cglib", "commons-beanutils", "commons-chain", "commons-cli", "commons-codec", "commons-collections", "commons-configuration", "commons-daemon",
        "commons-dbcp", "commons-digester", "commons-discovery", "commons-el", "commons-fileupload", "commons-httpclient", "commons-io", "commons-jxpath", "commons-lang", "commons-logging",
        "commons-net", "commons-pool", "commons-validator", "dom4j", "hsqldb", "jaxen", "jdom", "joda-time", "junit", "log4j", "oro", "regexp", "stax", "velocity", "wsdl4j", "xalan", "xmlunit", "xom",
    };

    private static readonly Dictionary<string, string> Others = new(StringComparer.Ordinal)
    {
        ["axis"] = "org.apache.axis",
        ["fastjson"] = "com.alibaba",
        ["guava"] = "com.google.guava",
        ["h2"] = "com.h2database",
        ["httpclient"] = "org.apache.httpcomponents",
        ["log4j-api"] = "org.apache.logging.log4j",
        ["log4j-core"] = "org.apache.logging.log4j",
        ["mysql-connector-java"] = "mysql",
        ["postgresql"] = "org.postgresql",
        ["snakeyaml"] = "org.yaml",
        ["xercesImpl"] = "xerces",
        ["xstream"] = "com.thoughtworks.xstream",
    };

    /// <summary>The group, or empty. A name with dots is its own: what stands before the last one.</summary>
    public static string Of(string artifact) =>
        SameName.Contains(artifact) ? artifact
        : Others.TryGetValue(artifact, out var group) ? group
        : artifact.StartsWith("spring-", StringComparison.Ordinal) && !artifact.StartsWith("spring-boot", StringComparison.Ordinal) && !artifact.StartsWith("spring-security", StringComparison.Ordinal)
            && !artifact.StartsWith("spring-data", StringComparison.Ordinal) && !artifact.StartsWith("spring-cloud", StringComparison.Ordinal) ? "org.springframework"
        : artifact.StartsWith("spring-boot", StringComparison.Ordinal) ? "org.springframework.boot"
        : artifact.StartsWith("jackson-", StringComparison.Ordinal) && artifact is "jackson-core" or "jackson-databind" or "jackson-annotations" ? "com.fasterxml.jackson.core"
        : artifact.Count('.') >= 2 ? artifact[..artifact.LastIndexOf('.')] : "";
}
