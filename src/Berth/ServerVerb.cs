using System.CommandLine;
using System.Text.Json.Nodes;

namespace Berth;

/// <summary>What a command prints: the JSON of the server, or a text for people made of it.</summary>
internal sealed record ServerAnswer(JsonNode Json, Action<TextWriter> Write)
{
    /// <summary>An answer that is one sentence for people.</summary>
    public static ServerAnswer Of(JsonNode json, string text) => new(json, output => output.WriteLine(text));

    /// <summary>Rows for people, with a column for each pair of head and property.</summary>
    public static ServerAnswer Table(JsonArray rows, params (string Head, string Property)[] columns) => new(rows, output =>
    {
        string[][] lines = [[.. columns.Select(c => c.Head)], .. rows.Select(row => columns.Select(c => TextOf(row?[c.Property])).ToArray())];
        var widths = columns.Select((_, i) => lines.Max(line => line[i].Length)).ToArray();
        foreach (var line in lines) output.WriteLine(string.Join("  ", line.Select((text, i) => text.PadRight(widths[i]))).TrimEnd());
    });

    private static string TextOf(JsonNode? value) => value switch
    {
        null => "",
        JsonArray list => string.Join(',', list.Select(TextOf)),
        _ => new string([.. value.ToString().Where(c => !char.IsControl(c))]),
    };
}

/// <summary>A command that asks a running server: the options that say which and as whom, one call, the answer.</summary>
internal static class ServerVerb
{
    private const string ServerVariable = "BERTH_SERVER";
    private const string UserVariable = "BERTH_USER";
    private const string PasswordVariable = "BERTH_PASSWORD";

    /// <summary>Builds a command.</summary>
    /// <param name="environment">The process.</param>
    /// <param name="verb">The command with its own arguments and options.</param>
    /// <param name="ask">Asks the server.</param>
    public static Command Build(CommandEnvironment environment, Verb verb, Func<ParseResult, ServerClient, CancellationToken, Task<ServerAnswer>> ask)
    {
        var server = new Option<string?>("--server") { Description = $"Address of the server; else ${ServerVariable}", HelpName = "URL" };
        var user = new Option<string?>("--user") { Description = $"User or robot to call as; else ${UserVariable}", HelpName = "NAME" };
        var passwordStdin = new Option<bool>("--password-stdin") { Description = $"Read the password, secret or token from standard input; else ${PasswordVariable}" };
        var json = Json.Option();
        foreach (var option in new Option[] { server, user, passwordStdin, json }) verb.Options.Add(option);
        verb.SetAction(async (parsed, ct) =>
        {
            var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            var address = parsed.GetValue(server) ?? environment.Variables.GetValueOrDefault(ServerVariable);
            var name = parsed.GetValue(user) ?? environment.Variables.GetValueOrDefault(UserVariable);
            var password = parsed.GetValue(passwordStdin) ? await environment.Input.ReadLineAsync(ct) : environment.Variables.GetValueOrDefault(PasswordVariable);
            if (ProblemOf(address, name, password) is { } problem)
            {
                await error.WriteLineAsync(problem);
                return ExitCodes.Usage;
            }
            try
            {
                using var client = new ServerClient(new Uri(address!), name!, password!);
                var answer = await ask(parsed, client, ct);
                if (parsed.GetValue(json)) await output.WriteLineAsync(answer.Json.ToJsonString(Json.Indented));
                else answer.Write(output);
                return ExitCodes.Ok;
            }
            catch (ServerCallException e)
            {
                await error.WriteLineAsync(e.Message);
                return ExitCodes.Failed;
            }
        });
        return verb;
    }

    private static string? ProblemOf(string? address, string? user, string? password)
    {
        if (string.IsNullOrEmpty(address)) return $"no server is given: use --server URL or ${ServerVariable}";
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.UserInfo.Length > 0)
            return $"\"{address}\" is no address such as https://registry.example.com";
        if (string.IsNullOrEmpty(user)) return $"no user is given: use --user NAME or ${UserVariable}";
        return string.IsNullOrEmpty(password) ? $"no password is given: use --password-stdin or ${PasswordVariable}" : null;
    }
}
