using System.Globalization;
using System.Text.Json.Nodes;
using Berth.Server.Access.Robots;
using Berth.Server.Ui;

namespace Berth.Server.Access.Pages;

/// <summary>What the forms of robots do.</summary>
internal static class RobotForms
{
    private static readonly Dictionary<string, (string Resource, string Action)[]> s_rights = new(StringComparer.Ordinal)
    {
        ["pull"] = [("repository", "pull")],
        // Who pushes must read what is there already.
        ["push"] = [("repository", "pull"), ("repository", "push")],
        ["read"] = [("repository", "list"), ("repository", "read"), ("artifact", "list"), ("artifact", "read"), ("tag", "list")],
        ["delete"] = [("artifact", "delete"), ("tag", "delete"), ("repository", "pull")],
    };

    /// <summary>A secret that is shown once.</summary>
    internal sealed record NewSecret(string Name, string Secret);

    /// <summary>The project of the path; of a robot of the installation, those that the form names.</summary>
    public static IReadOnlyList<string> WantedProjects(UiCall call) =>
        call.Project is { } project ? [project.Name] : [.. call.Field("projects").Split([',', ' ', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct()];

    /// <summary>Makes a robot of the project, or of the installation where the path names none.</summary>
    public static async Task<UiOutcome> CreateAsync(UiCall call, CancellationToken ct)
    {
        var rights = s_rights.Where(r => call.IsChecked(r.Key)).SelectMany(r => r.Value).Distinct().ToList();
        if (rights.Count == 0) return UiOutcome.Refuse(new AccessWords(call.Language).NoRights);
        var body = new JsonObject
        {
            ["name"] = call.Field("name"),
            ["description"] = call.Field("description"),
            ["level"] = call.Project is null ? "system" : "project",
            ["duration"] = long.TryParse(call.Field("days"), CultureInfo.InvariantCulture, out var days) ? days : 0,
            ["permissions"] = new JsonArray([.. WantedProjects(call).Select(project => new JsonObject
            {
                ["kind"] = "project",
                ["namespace"] = project,
                ["access"] = new JsonArray([.. rights.Select(r => new JsonObject { ["resource"] = r.Resource, ["action"] = r.Action })]),
            })]),
        };
        var result = await call.AskAsync("CreateRobot", body: body).ConfigureAwait(false);
        return result switch
        {
            { Failure: { } failure } => UiOutcome.Refuse(failure.Message, result.Status),
            { Value: RobotCreated made } => UiOutcome.Show(new NewSecret(made.Name, made.Secret)),
            _ => UiOutcome.Go(PathOf(call)),
        };
    }

    /// <summary>Gives a robot a new secret; the one before stays good for a day.</summary>
    public static async Task<UiOutcome> RotateAsync(UiCall call, CancellationToken ct)
    {
        var result = await call.AskAsync("rotateRobotSecret", [("robot_id", call.Field("id"))], body: new JsonObject { ["grace_seconds"] = 86400 }).ConfigureAwait(false);
        return result switch
        {
            { Failure: { } failure } => UiOutcome.Refuse(failure.Message, result.Status),
            { Value: Rotation made } => UiOutcome.Show(new NewSecret(made.Name, made.Secret)),
            _ => UiOutcome.Go(PathOf(call)),
        };
    }

    /// <summary>Deletes a robot.</summary>
    public static Task<UiOutcome> DeleteAsync(UiCall call, CancellationToken ct) =>
        call.ChangeAsync("DeleteRobot", PathOf(call), new AccessWords(call.Language).RobotDeleted, [("robot_id", call.Field("id"))]);

    /// <summary>A robot's rights in few words.</summary>
    public static string RightsOf(RobotAnswer robot) =>
        string.Join(", ", robot.Permissions.SelectMany(p => p.Access ?? []).Where(a => a is not null).Select(a => $"{a!.Resource}:{a.Action}").Distinct().Take(12));

    /// <summary>The projects that a robot may do something in.</summary>
    public static string ProjectsOf(RobotAnswer robot) => string.Join(", ", robot.Permissions.Where(p => p.Kind == "project").Select(p => p.Namespace).Distinct().Take(12));

    private static string PathOf(UiCall call) => call.Project is { } project ? $"/projects/{Uri.EscapeDataString(project.Name)}/robots" : "/administration/robots";
}
