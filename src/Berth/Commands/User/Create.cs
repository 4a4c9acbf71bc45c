using System.CommandLine;
using System.Text.Json.Nodes;
using Berth.Server.Identity;

namespace Berth.Commands.User;

/// <summary><c>berth user create NAME</c>.</summary>
internal static class Create
{
    public static Command Build(CommandEnvironment environment)
    {
        var name = new Argument<string>("NAME") { Description = "Sign-in name" };
        var email = new Option<string>("--email") { Description = "Mail address", HelpName = "ADDRESS", Required = true };
        var realName = new Option<string?>("--real-name") { Description = "Name for people; else NAME", HelpName = "TEXT" };
        var passwordFile = new Option<string?>("--new-password-file") { Description = "File with the user's password; else one is made up and printed once", HelpName = "FILE" };
        var verb = new Verb("create", "Make a local user", """
            berth user create alice --email alice@example.com
            berth user create alice --email alice@example.com --new-password-file ./password
            """)
        {
            name, email, realName, passwordFile,
        };
        return ServerVerb.Build(environment, verb, async (parsed, server, ct) =>
        {
            var given = await PasswordAsync(parsed.GetValue(passwordFile), ct);
            var password = given ?? GeneratedPassword.New();
            await server.CallAsync(HttpMethod.Post, "/api/v2.0/users", new JsonObject
            {
                ["username"] = parsed.GetValue(name),
                ["email"] = parsed.GetValue(email),
                ["realname"] = parsed.GetValue(realName) ?? parsed.GetValue(name),
                ["password"] = password,
            }, ct);
            var answer = new JsonObject { ["username"] = parsed.GetValue(name) };
            if (given is not null) return ServerAnswer.Of(answer, $"user {parsed.GetValue(name)} made");
            answer["password"] = password;
            return ServerAnswer.Of(answer, $"user {parsed.GetValue(name)} made, password (shown this once): {password}");
        });
    }

    private static async Task<string?> PasswordAsync(string? file, CancellationToken ct)
    {
        try
        {
            return file is null ? null : (await File.ReadAllTextAsync(file, ct)).TrimEnd('\r', '\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ServerCallException($"the password cannot be read: {e.Message}");
        }
    }
}
