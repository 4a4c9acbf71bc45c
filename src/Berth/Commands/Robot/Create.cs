using System.CommandLine;
using System.Text.Json.Nodes;

namespace Berth.Commands.Robot;

/// <summary><c>berth robot create NAME</c>.</summary>
internal static class Create
{
    public static Command Build(CommandEnvironment environment)
    {
        var name = new Argument<string>("NAME") { Description = "Name without prefix" };
        var project = new Option<string?>("--project") { Description = "The project that it lives in; else it is one of the system, with its permissions in all projects", HelpName = "NAME" };
        var permissions = new Option<string[]>("--permission")
        {
            Description = "What it may do, as resource:action; may be repeated",
            HelpName = "PERMISSION",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        var days = new Option<long?>("--days") { Description = "Days that it lasts, -1 for no end; else what the server says", HelpName = "N" };
        var description = new Option<string?>("--description") { Description = "Text for people", HelpName = "TEXT" };
        var verb = new Verb("create", "Make a robot account; its secret is printed once", """
            berth robot create ci --project shop --permission repository:pull repository:push
            berth robot create mirror --permission repository:pull --days -1
            """)
        {
            name, project, permissions, days, description,
        };
        return ServerVerb.Build(environment, verb, async (parsed, server, ct) =>
        {
            var home = parsed.GetValue(project);
            var access = new JsonArray([.. parsed.GetValue(permissions)!.Select(p => p.Split(':', 2)).Select(p => new JsonObject { ["resource"] = p[0], ["action"] = p.Length > 1 ? p[1] : "" })]);
            var body = new JsonObject
            {
                ["name"] = parsed.GetValue(name),
                ["level"] = home is null ? "system" : "project",
                ["description"] = parsed.GetValue(description) ?? "",
                ["permissions"] = new JsonArray(new JsonObject { ["kind"] = "project", ["namespace"] = home ?? "*", ["access"] = access }),
            };
            if (parsed.GetValue(days) is { } duration) body["duration"] = duration;
            var made = await server.CallAsync(HttpMethod.Post, "/api/v2.0/robots", body, ct);
            return ServerAnswer.Of(made, $"robot {made["name"]} ({made["id"]}) made, secret (shown this once): {made["secret"]}");
        });
    }
}
