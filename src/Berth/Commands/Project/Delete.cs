using System.CommandLine;
using System.Text.Json.Nodes;

namespace Berth.Commands.Project;

/// <summary><c>berth project delete NAME</c>.</summary>
internal static class Delete
{
    public static Command Build(CommandEnvironment environment)
    {
        var name = new Argument<string>("NAME") { Description = "The project, which must hold no repositories" };
        var verb = new Verb("delete", "Remove an empty project", "berth project delete shop")
        {
            name,
        };
        return ServerVerb.Build(environment, verb, async (parsed, server, ct) =>
        {
            await server.CallAsync(HttpMethod.Delete, $"/api/v2.0/projects/{Uri.EscapeDataString(parsed.GetValue(name)!)}", null, ct);
            return ServerAnswer.Of(new JsonObject { ["name"] = parsed.GetValue(name) }, $"project {parsed.GetValue(name)} removed");
        });
    }
}
