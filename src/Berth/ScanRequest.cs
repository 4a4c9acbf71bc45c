using System.CommandLine;
using Berth.Scanner.Advisories;
using Berth.Scanner.Exceptions;
using Berth.Scanner.Reports.Templates;
using Berth.Scanner.Scan;
using Berth.Scanner.Secrets;

namespace Berth;

/// <summary>The flags of the commands that scan, with Trivy's names.</summary>
internal sealed class ScanFlags
{
    private const string TemplateWord = "template";
    private const string StandardSecretConfig = "trivy-secret.yaml";

    // What scripts tell Trivy to leave out, and what no scan here does.
    private static readonly string[] Needless = ["--skip-java-db-update", "--skip-check-update", "--skip-policy-update", "--skip-vex-repo-update", "--skip-version-check", "--disable-telemetry"];

    private static readonly string[] Scanners = ["vuln", "secret", "misconfig"];
    private static readonly IEnumerable<string> Statuses = Enum.GetValues<FixStatus>().Select(static status => status.Word());

    private readonly Option<string> severity = new("--severity", "-s") { Description = "Severities that count, with commas", DefaultValueFactory = static _ => "UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL", HelpName = "LIST" };
    private readonly Option<bool> ignoreUnfixed = new("--ignore-unfixed") { Description = "Leave out flaws for which there is no repair" };
    private readonly Option<int> exitCode = new("--exit-code") { Description = "Exit code when something is found", HelpName = "N" };
    private readonly Option<string> format = new("--format", "-f") { Description = "table, json (Trivy's), sarif, cyclonedx, spdx, spdx-json, cosign-vuln, github, harbor or template", DefaultValueFactory = static _ => "table", HelpName = "FORM" };
    private readonly Option<string?> template = new("--template", "-t") { Description = "Text of the template for --format template, or @FILE", HelpName = "TEXT" };
    private readonly Option<string?> output = new("--output", "-o") { Description = "File for the report; else standard output", HelpName = "FILE" };
    private readonly Option<string?> scanners = new("--scanners") { Description = "What is looked for, with commas: vuln, secret, misconfig; else vuln,secret", HelpName = "LIST" };
    private readonly Option<string?> formerScanners = new("--security-checks") { Description = "What --scanners was called in Trivy", HelpName = "LIST", Hidden = true };
    private readonly Option<string> packageTypes = new("--pkg-types", "--vuln-type") { Description = "Packages that count, with commas: os, library", DefaultValueFactory = static _ => "os,library", HelpName = "LIST" };
    private readonly Option<string[]> vex = new("--vex") { Description = "OpenVEX or CycloneDX document with exceptions; may be given several times", HelpName = "FILE" };
    private readonly Option<string?> ignoreFile = new("--ignorefile") { Description = "Ignore file; else .trivyignore where it is", HelpName = "FILE" };
    private readonly Option<bool> offline = new("--offline-scan") { Description = "Taken for Trivy's sake: a scan never asks the network" };
    private readonly Option<bool> listAll = new("--list-all-pkgs") { Description = "Name all packages in the JSON report" };
    private readonly Option<bool> development = new("--include-dev-deps") { Description = "Also packages that only development needs" };
    private readonly Option<bool> showSuppressed = new("--show-suppressed") { Description = "Show what exceptions take out, with the reason" };
    private readonly Option<int> exitOnEndOfLife = new("--exit-on-eol") { Description = "Exit code when the distribution gets no security updates any more", HelpName = "N" };
    private readonly Option<string?> ignoreStatus = new("--ignore-status") { Description = $"Statuses of flaws to leave out, with commas: {string.Join(", ", Statuses)}", HelpName = "LIST" };
    private readonly Option<string[]> skipDirectories = new("--skip-dirs") { Description = "Folders whose files are left out, with commas; * and ** are patterns", HelpName = "LIST" };
    private readonly Option<string[]> skipFiles = new("--skip-files") { Description = "Files that are left out, with commas; * and ** are patterns", HelpName = "LIST" };
    private readonly Option<string?> secretConfig = new("--secret-config") { Description = $"File with rules for secrets, in the form of Trivy's; else {StandardSecretConfig} where it is", HelpName = "FILE" };
    private readonly Option<string?> timeout = new("--timeout") { Description = "Longest time for the scan, such as 5m or 90s", HelpName = "TIME" };
    private readonly Option<bool> noProgress = new("--no-progress") { Description = "Do not show how far the scan is" };
    private readonly Option<bool> skipUpdate = new("--skip-db-update") { Description = "Taken for Trivy's sake: a scan never updates the database, berth db update does" };
    private readonly Option<bool> quiet = new("--quiet", "-q") { Description = "Say nothing on standard error but errors" };
    private readonly Option<string?> database = AdvisoryPlace.Option();

    /// <summary>Adds the flags to a command.</summary>
    public void AddTo(Command verb)
    {
        Option[] all =
        [
            severity, ignoreUnfixed, ignoreStatus, exitCode, exitOnEndOfLife, format, template, output, scanners, formerScanners, packageTypes, skipDirectories, skipFiles, secretConfig, vex, ignoreFile, offline, skipUpdate, listAll, development,
            showSuppressed, timeout, noProgress, quiet, database,
        ];
        foreach (var option in all) verb.Options.Add(option);
        foreach (var name in Needless) verb.Options.Add(new Option<bool>(name) { Description = "Taken for Trivy's sake", Hidden = true });
    }

    /// <summary>Reads the flags; what is wrong with them is added to <paramref name="problems"/>.</summary>
    public ScanRequest Read(ParseResult parsed, CommandEnvironment environment, List<string> problems)
    {
        var severities = Words(parsed.GetValue(severity)!).Select(word => (Word: word, Severity: Severities.Parse(word))).ToList();
        foreach (var (word, _) in severities.Where(static one => one.Severity == Severity.Unknown && !one.Word.Equals("UNKNOWN", StringComparison.OrdinalIgnoreCase)))
            problems.Add($"--severity: \"{word}\" is none of UNKNOWN, LOW, MEDIUM, HIGH, CRITICAL");
        var asked = parsed.GetValue(scanners) ?? parsed.GetValue(formerScanners);
        var wanted = Words(asked ?? "vuln,secret");
        foreach (var word in wanted.Except(Scanners, StringComparer.Ordinal)) problems.Add($"--scanners: \"{word}\" is none of {string.Join(", ", Scanners)}");
        var types = Words(parsed.GetValue(packageTypes)!);
        foreach (var word in types.Except(["os", "library"], StringComparer.Ordinal)) problems.Add($"--pkg-types: \"{word}\" is none of os, library");
        foreach (var word in Words(parsed.GetValue(ignoreStatus) ?? "").Except(Statuses, StringComparer.Ordinal)) problems.Add($"--ignore-status: \"{word}\" is none of {string.Join(", ", Statuses)}");
        var form = ScanFormat.Table;
        var isTemplate = parsed.GetValue(format) == TemplateWord;
        if (!isTemplate && !ScanOutput.Words.TryGetValue(parsed.GetValue(format)!, out form)) problems.Add($"--format: \"{parsed.GetValue(format)}\" is none of {string.Join(", ", ScanOutput.Words.Keys)}, {TemplateWord}");
        if (isTemplate != parsed.GetValue(template) is not null) problems.Add("--format template and --template are given together");
        var isBill = form is ScanFormat.CycloneDx or ScanFormat.SpdxJson or ScanFormat.Spdx or ScanFormat.GitHub && asked is null;
        return new ScanRequest
        {
            Settings = new ScanSettings
            {
                Severities = severities.Select(static one => one.Severity).ToHashSet(),
                IgnoreUnfixed = parsed.GetValue(ignoreUnfixed),
                SystemPackages = types.Contains("os"),
                LanguagePackages = types.Contains("library"),
                IncludeDevelopment = parsed.GetValue(development),
                Secrets = wanted.Contains("secret") && !isBill,
                Misconfiguration = wanted.Contains("misconfig"),
                IgnoredStatuses = Words(parsed.GetValue(ignoreStatus) ?? "").Select(FixStatuses.Parse).ToHashSet(),
                SkippedPaths = ReadSkipped(parsed, problems),
                Exceptions = ReadExceptions(parsed, problems),
            },
            SecretScanner = wanted.Contains("secret") && !isBill ? ReadSecretRules(parsed.GetValue(secretConfig), problems) : null,
            IsJudged = wanted.Contains("vuln") && !isBill,
            Format = form,
            OutputPath = parsed.GetValue(output),
            ExitCode = parsed.GetValue(exitCode),
            ListPackages = parsed.GetValue(listAll),
            ShowSuppressed = parsed.GetValue(showSuppressed),
            IsQuiet = parsed.GetValue(quiet),
            ShowsProgress = !parsed.GetValue(quiet) && !parsed.GetValue(noProgress),
            ExitCodeAtEndOfLife = parsed.GetValue(exitOnEndOfLife),
            Template = isTemplate ? ReadTemplate(parsed.GetValue(template), problems) : null,
            Timeout = ReadTimeout(parsed.GetValue(timeout), problems),
            Variables = environment.Variables,
            Database = AdvisoryPlace.Of(parsed.GetValue(database), environment),
        };
    }

    private List<IExceptionSource> ReadExceptions(ParseResult parsed, List<string> problems)
    {
        const string Standard = ".trivyignore";
        var sources = new List<IExceptionSource>();
        var ignore = parsed.GetValue(ignoreFile) ?? (File.Exists(Standard) ? Standard : null);
        if (ignore is not null) Take(ignore, static (name, bytes) => TrivyIgnoreFile.Parse(Path.GetFileName(name), bytes));
        foreach (var path in parsed.GetValue(vex) ?? [])
            Take(path, static (name, bytes) => bytes.AsSpan().IndexOf("\"bomFormat\""u8) >= 0 ? CycloneDxVex.Parse(bytes, name) : OpenVexDocument.Parse(bytes, name));
        return sources;

        void Take(string path, Func<string, byte[], IExceptionSource> parse)
        {
            try
            {
                sources.Add(parse(path, File.ReadAllBytes(path)));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or InvalidDataException)
            {
                problems.Add($"{path}: {e.Message}");
            }
        }
    }

    private static SecretScanner ReadSecretRules(string? given, List<string> problems)
    {
        var path = given ?? (File.Exists(StandardSecretConfig) ? StandardSecretConfig : null);
        if (path is null) return SecretScanner.Default;
        try
        {
            return SecretRuleFile.Read(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            problems.Add($"{path}: {e.Message}");
            return SecretScanner.Default;
        }
    }

    private static ReportTemplate? ReadTemplate(string? text, List<string> problems)
    {
        if (text is null) return null;
        try
        {
            return text.StartsWith('@') ? ReportTemplate.Parse(File.ReadAllText(text[1..])) : ReportTemplate.Parse(text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or TemplateException)
        {
            problems.Add($"--template: {e.Message}");
            return null;
        }
    }

    private List<PathPattern> ReadSkipped(ParseResult parsed, List<string> problems)
    {
        var patterns = new List<PathPattern>();
        Take(skipDirectories, static word => [word, word.TrimEnd('/') + "/**"]);
        Take(skipFiles, static word => [word]);
        return patterns;

        void Take(Option<string[]> option, Func<string, string[]> patternsOf)
        {
            foreach (var word in (parsed.GetValue(option) ?? []).SelectMany(static list => Words(list)))
            {
                try
                {
                    // Paths in images begin without a slash.
                    patterns.AddRange(patternsOf(word.StartsWith("./", StringComparison.Ordinal) ? word[2..] : word.TrimStart('/')).Select(static pattern => new PathPattern(pattern)));
                }
                catch (FormatException e)
                {
                    problems.Add($"{option.Name}: {e.Message}");
                }
            }
        }
    }

    private static TimeSpan ReadTimeout(string? text, List<string> problems)
    {
        if (text is null) return System.Threading.Timeout.InfiniteTimeSpan;
        if (GoDuration.TryParse(text, out var duration) && duration > TimeSpan.Zero && duration < TimeSpan.FromDays(40)) return duration;
        problems.Add($"--timeout: \"{text}\" is no time such as 5m or 1h30m");
        return System.Threading.Timeout.InfiniteTimeSpan;
    }

    private static string[] Words(string list) => list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}

/// <summary>What the flags ask for.</summary>
internal sealed record ScanRequest
{
    public required ScanSettings Settings { get; init; }

    /// <summary>Looks for secrets; null leaves them out.</summary>
    public SecretScanner? SecretScanner { get; init; }

    /// <summary>Whether packages are held against the advisory database.</summary>
    public bool IsJudged { get; init; }

    public ScanFormat Format { get; init; }

    /// <summary>Null for standard output.</summary>
    public string? OutputPath { get; init; }

    /// <summary>Exit code when something is found.</summary>
    public int ExitCode { get; init; }

    public bool ListPackages { get; init; }

    public bool ShowSuppressed { get; init; }

    public bool IsQuiet { get; init; }

    /// <summary>Whether a terminal is shown how far the scan is.</summary>
    public bool ShowsProgress { get; init; }

    /// <summary>Exit code when the distribution gets no security updates any more.</summary>
    public int ExitCodeAtEndOfLife { get; init; }

    /// <summary>Writes the report in place of a format; null for none.</summary>
    public ReportTemplate? Template { get; init; }

    /// <summary>Longest time for reading what is scanned.</summary>
    public TimeSpan Timeout { get; init; } = System.Threading.Timeout.InfiniteTimeSpan;

    /// <summary>Variables that templates may ask for.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>();

    /// <summary>File or folder of the advisory database.</summary>
    public required string Database { get; init; }
}
