using System.Globalization;
using System.Text;
using Berth.Scanner.Inventory.Analyzers.Text;
using Berth.Scanner.Matching;

namespace Berth.Scanner.Exceptions;

/// <summary>
/// Trivy's ignore files. <c>.trivyignore</c>: an id a line, <c>exp:YYYY-MM-DD</c> behind it, comments with <c>#</c>, of which those above or behind an id are kept as its
/// reason. <c>.trivyignore.yaml</c>: lists <c>vulnerabilities</c>, <c>misconfigurations</c>, <c>secrets</c>, <c>licenses</c> of <c>{id, paths, purls, expired_at, statement}</c>.
/// </summary>
public sealed class TrivyIgnoreFile : IExceptionSource
{
    private const int MaxPatterns = 500;

    private const int MaxBytes = 16 * 1024 * 1024;

    private readonly string _name;
    private readonly IReadOnlyList<IgnoredFinding> _vulnerabilities;

    private TrivyIgnoreFile(string name, IReadOnlyList<IgnoredFinding> all)
        : this(name, all, all, all)
    {
    }

    private TrivyIgnoreFile(
        string name, IReadOnlyList<IgnoredFinding> vulnerabilities, IReadOnlyList<IgnoredFinding> misconfigurations, IReadOnlyList<IgnoredFinding> secrets)
    {
        _name = name;
        _vulnerabilities = vulnerabilities;
        Misconfigurations = misconfigurations;
        Secrets = secrets;
    }

    /// <summary>Number of its rules; those of a list without kinds count once.</summary>
    public int Count => ReferenceEquals(_vulnerabilities, Secrets) ? _vulnerabilities.Count : _vulnerabilities.Count + Misconfigurations.Count + Secrets.Count;

    /// <summary>Rules for configuration checks.</summary>
    public IReadOnlyList<IgnoredFinding> Misconfigurations { get; }

    /// <summary>Rules for secrets.</summary>
    public IReadOnlyList<IgnoredFinding> Secrets { get; }

    /// <summary>Reads either form, by the end of the name. Throws <see cref="FormatException"/> with the reason when it cannot be read.</summary>
    public static TrivyIgnoreFile Parse(string name, ReadOnlySpan<byte> content)
    {
        if (content.Length > MaxBytes)
            throw new FormatException($"{name} is too large");
        return name.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".yml", StringComparison.OrdinalIgnoreCase)
            ? ParseYaml(name, content)
            : new TrivyIgnoreFile(name, ParseLines(Encoding.UTF8.GetString(content)));
    }

    public Suppression? Find(Finding finding, ExceptionSubject subject)
    {
        foreach (var rule in _vulnerabilities)
        {
            if (!finding.AllIds.Contains(rule.Id, StringComparer.Ordinal) || rule.IsExpired(subject.Now) || !rule.HasPath(finding.Package.Path))
                continue;
            if (rule.Purls.Count > 0 && !rule.Purls.Any(p => PackagePattern.Names(p, finding.Package, subject.Distribution)))
                continue;
            return new Suppression(_name, SuppressionStatus.Ignored, rule.Statement, rule.ExpiresAt);
        }
        return null;
    }

    private static List<IgnoredFinding> ParseLines(string text)
    {
        var rules = new List<IgnoredFinding>();
        var comment = "";
        foreach (var raw in text.Split('\n'))
        {
            var line = raw.Trim();
            if (line.StartsWith('#'))
            {
                comment = line.TrimStart('#').Trim();
                continue;
            }
            if (line.Length == 0)
            {
                comment = "";
                continue;
            }
            var mark = line.IndexOf(" #", StringComparison.Ordinal);
            var fields = (mark < 0 ? line : line[..mark]).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            var reason = mark < 0 ? comment : line[(mark + 2)..].Trim();
            var expiry = fields.FirstOrDefault(static f => f.StartsWith("exp:", StringComparison.Ordinal));
            // A line with a date that cannot be read must not hide anything for ever.
            if (expiry is null || Day(expiry["exp:".Length..]) is not null)
                rules.Add(new IgnoredFinding(fields[0]) { ExpiresAt = expiry is null ? null : Day(expiry["exp:".Length..]), Statement = reason });
        }
        return rules;
    }

    private static TrivyIgnoreFile ParseYaml(string name, ReadOnlySpan<byte> content)
    {
        DataNode root;
        try
        {
            root = YamlText.Read(content);
        }
        catch (Exception e) when (e is InvalidDataException or DecoderFallbackException)
        {
            throw new FormatException($"{name} is no YAML that can be read: {e.Message}", e);
        }
        var patterns = MaxPatterns;
        return new TrivyIgnoreFile(name, Rules(root["vulnerabilities"], ref patterns), Rules(root["misconfigurations"], ref patterns), Rules(root["secrets"], ref patterns));
    }

    private static List<IgnoredFinding> Rules(DataNode list, ref int patterns)
    {
        var rules = new List<IgnoredFinding>();
        foreach (var item in list.Items)
        {
            var expiry = item.Of("expired_at");
            if (item.Of("id").Length == 0)
                throw new FormatException("a rule has no id");
            if (expiry.Length > 0 && Day(expiry) is null)
                throw new FormatException($"the date '{expiry}' cannot be read");
            var paths = new List<PathPattern>();
            foreach (var text in Texts(item["paths"]))
            {
                var path = new PathPattern(text);
                if (!path.IsLiteral && patterns-- == 0) throw new FormatException($"there are more than {MaxPatterns} patterns for paths");
                paths.Add(path);
            }
            rules.Add(new IgnoredFinding(item.Of("id"))
            {
                Paths = paths,
                Purls = [.. Texts(item["purls"])],
                ExpiresAt = expiry.Length == 0 ? null : Day(expiry),
                Statement = item.Of("statement"),
            });
        }
        return rules;
    }

    private static IEnumerable<string> Texts(DataNode list) => list.Items.Select(static i => i.Text ?? "").Where(static t => t.Length > 0);

    private static DateTimeOffset? Day(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var day) ? day : null;
}

/// <summary>A rule of an ignore file.</summary>
/// <param name="Id">Id of the flaw, check or secret rule.</param>
public sealed record IgnoredFinding(string Id)
{
    /// <summary>Paths that it is for; empty for all.</summary>
    public IReadOnlyList<PathPattern> Paths { get; init; } = [];

    /// <summary>Package URLs that it is for; empty for all.</summary>
    public IReadOnlyList<string> Purls { get; init; } = [];

    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Why; may be empty.</summary>
    public string Statement { get; init; } = "";

    public bool IsExpired(DateTimeOffset now) => ExpiresAt < now;

    public bool HasPath(string path) => Paths.Count == 0 || Paths.Any(p => p.Matches(path));
}
