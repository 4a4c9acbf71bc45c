using System.CommandLine;
using System.Text.Json.Nodes;

namespace Berth.Commands.Project;

/// <summary><c>berth project create NAME</c>.</summary>
internal static class Create
{
    public static Command Build(CommandEnvironment environment)
    {
        var name = new Argument<string>("NAME") { Description = "First part of the names of its repositories" };
        var isPublic = new Option<bool>("--public") { Description = "Anybody may pull" };
        var quota = new Option<long?>("--quota-bytes") { Description = "Bytes that it may use, -1 for no limit; else what the server gives new projects", HelpName = "BYTES" };
        var verb = new Verb("create", "Make a project", """
            berth project create shop
            berth project create images --public --quota-bytes 10737418240
            """)
        {
            name, isPublic, quota,
        };
        return ServerVerb.Build(environment, verb, async (parsed, server, ct) =>
        {
            var project = new JsonObject
            {
                ["project_name"] = parsed.GetValue(name),
                ["metadata"] = new JsonObject { ["public"] = parsed.GetValue(isPublic) ? "true" : "false" },
            };
            if (parsed.GetValue(quota) is { } bytes) project["storage_limit"] = bytes;
            await server.CallAsync(HttpMethod.Post, "/api/v2.0/projects", project, ct);
            return ServerAnswer.Of(new JsonObject { ["name"] = parsed.GetValue(name) }, $"project {parsed.GetValue(name)} made");
        });
    }
}
