using System.CommandLine;
using System.Text.Json;
using Berth.Server;
using Berth.Server.Doctor;

namespace Berth.Commands;

/// <summary><c>berth doctor</c>: the operator's checklist, held against a running registry.</summary>
internal static class Doctor
{
    private const int MostAlike = 3;
    private static readonly JsonSerializerOptions s_json = new(Json.Indented) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static Command Build(CommandEnvironment environment)
    {
        var url = new Argument<string?>("URL") { Description = "Address of the registry, as clients have it; else --config", Arity = ArgumentArity.ZeroOrOne };
        var config = Serve.ConfigOption();
        var user = new Option<string?>("--user") { Description = "Administrator to ask as; else $BERTH_USER", HelpName = "NAME" };
        var passwordStdin = new Option<bool>("--password-stdin") { Description = "Read the password from standard input; else $BERTH_PASSWORD" };
        var write = new Option<string?>("--write") { Description = "Push, pull and delete a small image in this repository", HelpName = "REPOSITORY" };
        var prometheus = new Option<string?>("--prometheus") { Description = "Look for the alert rules in this Prometheus", HelpName = "URL" };
        var json = Json.Option();
        var verb = new Verb("doctor", "Hold the operator's checklist against a running registry", """
            berth doctor https://registry.example.com --user admin
            berth doctor --config /etc/berth/berth.yaml
            berth doctor https://registry.example.com --user admin --write library/doctor --json | jq '.checks[] | select(.status == "fail")'
            """)
        {
            url, config, user, passwordStdin, write, prometheus, json,
        };
        verb.SetAction(async (parsed, ct) =>
        {
            if (!TryFindAddress(parsed, parsed.GetValue(url), parsed.GetValue(config), environment, out var address, out var code)) return code;
            if (parsed.GetValue(prometheus) is { } rules && !IsWebAddress(rules)) return await RefuseAsync(parsed, $"\"{rules}\" is no address such as http://prometheus:9090");
            using var visit = new DoctorVisit(new DoctorVisitOptions(address!)
            {
                User = parsed.GetValue(user) ?? environment.Variables.GetValueOrDefault("BERTH_USER"),
                Password = parsed.GetValue(passwordStdin) ? await environment.Input.ReadLineAsync(ct) : environment.Variables.GetValueOrDefault("BERTH_PASSWORD"),
                Repository = parsed.GetValue(write),
                Prometheus = parsed.GetValue(prometheus) is { } given ? new Uri(given.TrimEnd('/') + "/") : null,
            }, TimeProvider.System);
            var report = await visit.RunAsync(ct);
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json)) await output.WriteLineAsync(JsonSerializer.Serialize(report, s_json));
            else Write(output, report);
            return report.Failed == 0 ? ExitCodes.Ok : ExitCodes.Failed;
        });
        return verb;
    }

    // The address that is given, or the one that the configuration says clients use.
    private static bool TryFindAddress(ParseResult parsed, string? url, string? file, CommandEnvironment environment, out Uri? address, out int code)
    {
        (address, code) = (null, ExitCodes.Usage);
        if (url is null)
        {
            var configuration = BerthConfiguration.Load(new ConfigurationSources { File = file, Environment = environment.Variables }, out var problems);
            if (configuration is null)
            {
                code = CommandLine.Refuse(parsed, problems);
                return false;
            }
            url = configuration.Options.Http.PublicUrl is { Length: > 0 } named ? named
                : configuration.Options.Http.Urls.FirstOrDefault(IsWebAddress) ?? configuration.Options.Http.Urls.Select(u => u.Replace("://*", "://localhost", StringComparison.Ordinal)).FirstOrDefault(IsWebAddress);
        }
        if (url is null || !IsWebAddress(url))
        {
            parsed.InvocationConfiguration.Error.WriteLine($"\"{url}\" is no address such as https://registry.example.com");
            return false;
        }
        address = new Uri(url);
        return true;
    }

    private static bool IsWebAddress(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.UserInfo.Length == 0 && uri.Host is not ("*" or "0.0.0.0");

    private static async Task<int> RefuseAsync(ParseResult parsed, string problem)
    {
        await parsed.InvocationConfiguration.Error.WriteLineAsync(problem);
        return ExitCodes.Usage;
    }

    private static void Write(TextWriter output, DoctorReport report)
    {
        // What could not be looked at for one reason is said once.
        var unseen = report.Checks.Where(line => line.Status == "not_configured").GroupBy(line => line.Finding).Where(lines => lines.Count() > MostAlike).ToDictionary(lines => lines.Key, lines => lines.Count());
        foreach (var area in report.Checks.Where(line => !unseen.ContainsKey(line.Finding)).GroupBy(line => line.Area))
        {
            output.WriteLine(area.Key);
            foreach (var line in area)
            {
                output.WriteLine($"  {line.Status.Replace('_', ' '),-14}  {line.Question}");
                output.WriteLine($"  {"",-14}  {line.Finding}");
                if (line.Fix is { } fix && !fix.StartsWith("wait", StringComparison.Ordinal)) output.WriteLine($"  {"",-14}  fix: {fix}");
            }
        }
        foreach (var (reason, count) in unseen) output.WriteLine($"{count} lines were not looked at: {reason}");
        output.WriteLine($"{report.Passed} pass, {report.Failed} fail, {report.NotConfigured} not configured");
    }
}
