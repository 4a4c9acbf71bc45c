using System.CommandLine;
using System.Text.Json.Nodes;

namespace Berth.Commands.Token;

/// <summary><c>berth token create NAME</c>.</summary>
internal static class Create
{
    public static Command Build(CommandEnvironment environment)
    {
        var name = new Argument<string>("NAME") { Description = "Name of the token" };
        var scopes = new Option<string[]>("--scope")
        {
            Description = "What it is limited to, as PROJECT:read, :push, :write or :admin; may be repeated; else all that the user may do",
            HelpName = "SCOPE",
            AllowMultipleArgumentsPerToken = true,
        };
        var days = new Option<int?>("--days") { Description = "Days that it lasts; else for ever", HelpName = "N" };
        var verb = new Verb("create", "Make a personal access token of the caller; it is printed once", """
            berth token create laptop
            berth token create ci --scope shop:push --days 90
            """)
        {
            name, scopes, days,
        };
        return ServerVerb.Build(environment, verb, async (parsed, server, ct) =>
        {
            var body = new JsonObject { ["name"] = parsed.GetValue(name), ["scopes"] = new JsonArray([.. (parsed.GetValue(scopes) ?? []).Select(s => JsonValue.Create(s))]) };
            if (parsed.GetValue(days) is { } duration) body["duration_days"] = duration;
            var made = await server.CallAsync(HttpMethod.Post, "/api/berth/v1/users/current/tokens", body, ct);
            return ServerAnswer.Of(made, $"token {made["name"]} ({made["id"]}) made (shown this once): {made["token"]}");
        });
    }
}
