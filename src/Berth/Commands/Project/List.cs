using System.CommandLine;

namespace Berth.Commands.Project;

/// <summary><c>berth project list</c>.</summary>
internal static class List
{
    public static Command Build(CommandEnvironment environment)
    {
        var name = new Option<string?>("--name") { Description = "Only projects whose name contains this", HelpName = "TEXT" };
        var verb = new Verb("list", "List the projects that the caller may see", """
            berth project list
            berth project list --name shop --json
            """)
        {
            name,
        };
        return ServerVerb.Build(environment, verb, async (parsed, server, ct) => ServerAnswer.Table(
            await server.ListAsync($"/api/v2.0/projects?name={Uri.EscapeDataString(parsed.GetValue(name) ?? "")}", ct),
            ("ID", "project_id"), ("NAME", "name"), ("OWNER", "owner_name"), ("REPOSITORIES", "repo_count"), ("CREATED", "creation_time")));
    }
}
