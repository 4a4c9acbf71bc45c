using System.CommandLine;

namespace Berth.Commands.Access;

/// <summary><c>berth access explain</c>: why somebody may or may not do something.</summary>
internal static class Explain
{
    public static Command Build(CommandEnvironment environment)
    {
        var action = new Argument<string>("ACTION") { Description = "pull, push, delete, create, retag, or a permission such as label:create" };
        var subject = new Option<string?>("--subject") { Description = "user:NAME, robot:NAME or anonymous; else the caller", HelpName = "WHO" };
        var project = new Option<string?>("--project") { Description = "Project; without one the question is about the installation", HelpName = "NAME" };
        var repository = new Option<string?>("--repository") { Description = "Repository in the project", HelpName = "NAME" };
        var tag = new Option<string?>("--tag") { Description = "Tag in the repository", HelpName = "NAME" };
        var verb = new Verb("explain", "Say why somebody may or may not do something", """
            berth access explain push --project shop --repository web
            berth access explain pull --subject user:alice --project shop --repository web --tag v1
            """)
        {
            action, subject, project, repository, tag,
        };
        return ServerVerb.Build(environment, verb, async (parsed, server, ct) =>
        {
            var query = $"action={Uri.EscapeDataString(parsed.GetValue(action)!)}";
            foreach (var (name, option) in new[] { ("subject", subject), ("project", project), ("repository", repository), ("tag", tag) })
            {
                if (parsed.GetValue(option) is { Length: > 0 } value) query += $"&{name}={Uri.EscapeDataString(value)}";
            }
            var answer = await server.CallAsync(HttpMethod.Get, $"/api/berth/v1/access/explain?{query}", null, ct);
            return ServerAnswer.Of(answer, $"{answer["text"]}\ndecided by: {answer["decided_by"]}");
        });
    }
}
