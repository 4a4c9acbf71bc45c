using System.CommandLine;

namespace Berth.Commands.Robot;

/// <summary><c>berth robot list</c>.</summary>
internal static class List
{
    public static Command Build(CommandEnvironment environment)
    {
        var project = new Option<string?>("--project") { Description = "Robots of this project; else those of the system", HelpName = "NAME" };
        var verb = new Verb("list", "List robot accounts", """
            berth robot list
            berth robot list --project shop
            """)
        {
            project,
        };
        return ServerVerb.Build(environment, verb, async (parsed, server, ct) =>
        {
            var query = "";
            if (parsed.GetValue(project) is { } name)
            {
                var found = await server.CallAsync(HttpMethod.Get, $"/api/v2.0/projects/{Uri.EscapeDataString(name)}", null, ct);
                query = $"q={Uri.EscapeDataString($"Level=project,ProjectID={found["project_id"]}")}";
            }
            return ServerAnswer.Table(
                await server.ListAsync($"/api/v2.0/robots?{query}", ct), ("ID", "id"), ("NAME", "name"), ("DISABLED", "disable"), ("DAYS", "duration"), ("CREATED", "creation_time"));
        });
    }
}
