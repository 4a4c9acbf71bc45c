using System.CommandLine;
using Berth.Scanner.Advisories;
using Berth.Scanner.Exceptions;
using Berth.Scanner.Scan;

namespace Berth;

/// <summary>The flags of the commands that scan, with Trivy's names.</summary>
internal sealed class ScanFlags
{
    private static readonly string[] Scanners = ["vuln", "secret", "misconfig"];

    private readonly Option<string> severity = new("--severity", "-s") { Description = "Severities that count, with commas", DefaultValueFactory = static _ => "UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL", HelpName = "LIST" };
    private readonly Option<bool> ignoreUnfixed = new("--ignore-unfixed") { Description = "Leave out flaws for which there is no repair" };
    private readonly Option<int> exitCode = new("--exit-code") { Description = "Exit code when something is found", HelpName = "N" };
    private readonly Option<string> format = new("--format", "-f") { Description = "table, json (Trivy's), sarif, cyclonedx, spdx-json or harbor", DefaultValueFactory = static _ => "table", HelpName = "FORM" };
    private readonly Option<string?> output = new("--output", "-o") { Description = "File for the report; else standard output", HelpName = "FILE" };
    private readonly Option<string?> scanners = new("--scanners") { Description = "What is looked for, with commas: vuln, secret, misconfig; else vuln,secret", HelpName = "LIST" };
    private readonly Option<string> packageTypes = new("--pkg-types") { Description = "Packages that count, with commas: os, library", DefaultValueFactory = static _ => "os,library", HelpName = "LIST" };
    private readonly Option<string[]> vex = new("--vex") { Description = "OpenVEX or CycloneDX document with exceptions; may be given several times", HelpName = "FILE" };
    private readonly Option<string?> ignoreFile = new("--ignorefile") { Description = "Ignore file; else .trivyignore where it is", HelpName = "FILE" };
    private readonly Option<bool> offline = new("--offline-scan") { Description = "Taken for Trivy's sake: a scan never asks the network" };
    private readonly Option<bool> listAll = new("--list-all-pkgs") { Description = "Name all packages in the JSON report" };
    private readonly Option<bool> development = new("--include-dev-deps") { Description = "Also packages that only development needs" };
    private readonly Option<bool> showSuppressed = new("--show-suppressed") { Description = "Show what exceptions take out, with the reason" };
    private readonly Option<bool> quiet = new("--quiet", "-q") { Description = "Say nothing on standard error but errors" };
    private readonly Option<string?> database = AdvisoryPlace.Option();

    /// <summary>Adds the flags to a command.</summary>
    public void AddTo(Command verb)
    {
        foreach (var option in new Option[] { severity, ignoreUnfixed, exitCode, format, output, scanners, packageTypes, vex, ignoreFile, offline, listAll, development, showSuppressed, quiet, database })
            verb.Options.Add(option);
    }

    /// <summary>Reads the flags; what is wrong with them is added to <paramref name="problems"/>.</summary>
    public ScanRequest Read(ParseResult parsed, CommandEnvironment environment, List<string> problems)
    {
        var severities = Words(parsed.GetValue(severity)!).Select(word => (Word: word, Severity: Severities.Parse(word))).ToList();
        foreach (var (word, _) in severities.Where(static one => one.Severity == Severity.Unknown && !one.Word.Equals("UNKNOWN", StringComparison.OrdinalIgnoreCase)))
            problems.Add($"--severity: \"{word}\" is none of UNKNOWN, LOW, MEDIUM, HIGH, CRITICAL");
        var wanted = Words(parsed.GetValue(scanners) ?? "vuln,secret");
        foreach (var word in wanted.Except(Scanners, StringComparer.Ordinal)) problems.Add($"--scanners: \"{word}\" is none of {string.Join(", ", Scanners)}");
        var types = Words(parsed.GetValue(packageTypes)!);
        foreach (var word in types.Except(["os", "library"], StringComparer.Ordinal)) problems.Add($"--pkg-types: \"{word}\" is none of os, library");
        if (!ScanOutput.Words.TryGetValue(parsed.GetValue(format)!, out var form)) problems.Add($"--format: \"{parsed.GetValue(format)}\" is none of {string.Join(", ", ScanOutput.Words.Keys)}");
        var isBill = form is ScanFormat.CycloneDx or ScanFormat.SpdxJson && parsed.GetValue(scanners) is null;
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
                Exceptions = ReadExceptions(parsed, problems),
            },
            IsJudged = wanted.Contains("vuln") && !isBill,
            Format = form,
            OutputPath = parsed.GetValue(output),
            ExitCode = parsed.GetValue(exitCode),
            ListPackages = parsed.GetValue(listAll),
            ShowSuppressed = parsed.GetValue(showSuppressed),
            IsQuiet = parsed.GetValue(quiet),
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

    private static string[] Words(string list) => list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}

/// <summary>What the flags ask for.</summary>
internal sealed record ScanRequest
{
    public required ScanSettings Settings { get; init; }

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

    /// <summary>File or folder of the advisory database.</summary>
    public required string Database { get; init; }
}
