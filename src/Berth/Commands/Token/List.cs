using System.CommandLine;

namespace Berth.Commands.Token;

/// <summary><c>berth token list</c>.</summary>
internal static class List
{
    public static Command Build(CommandEnvironment environment) => ServerVerb.Build(
        environment,
        new Verb("list", "List the own personal access tokens", "berth token list"),
        async (_, server, ct) => ServerAnswer.Table(
            await server.ListAsync("/api/berth/v1/users/current/tokens?", ct), ("ID", "id"), ("NAME", "name"), ("SCOPES", "scopes"), ("EXPIRES", "expires_at"), ("LAST USED", "last_used_at")));
}
