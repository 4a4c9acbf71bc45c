using System.CommandLine;

namespace Berth.Commands.User;

/// <summary><c>berth user list</c>.</summary>
internal static class List
{
    public static Command Build(CommandEnvironment environment)
    {
        var name = new Option<string?>("--name") { Description = "Only users whose name contains this", HelpName = "TEXT" };
        var verb = new Verb("list", "List users, without the built-in administrator", """
            berth user list
            berth user list --name smith --json
            """)
        {
            name,
        };
        return ServerVerb.Build(environment, verb, async (parsed, server, ct) => ServerAnswer.Table(
            await server.ListAsync($"/api/v2.0/users?username={Uri.EscapeDataString(parsed.GetValue(name) ?? "")}", ct),
            ("ID", "user_id"), ("NAME", "username"), ("EMAIL", "email"), ("ADMIN", "sysadmin_flag"), ("CREATED", "creation_time")));
    }
}
