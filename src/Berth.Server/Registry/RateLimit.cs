using Berth.Server.Access;
using Berth.Server.Projects;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Registry;

/// <summary>
/// How often callers may come. Requests of any kind: so many a second for each caller, or for each address while nobody is signed in. Manifests pulled and pushed: so many a
/// minute for each caller, for each project and for the whole registry. What is allowed in a period may come at once. A limit holds for all replicas together
/// (<see cref="SharedRates"/>); on SQLite there is one process, which counts in memory (<see cref="LocalRates"/>).
/// </summary>
internal sealed class RateLimit(RegistryOptions options, IRates rates)
{
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    /// <summary>Counts a request; how long to wait when it is one too many, else null.</summary>
    public ValueTask<TimeSpan?> CheckAsync(Caller caller, HttpContext context) =>
        options.RequestsPerSecond <= 0
            ? default
            : rates.TakeAsync(new RateKey(RateScope.Request, CallerOf(caller, context), 0), new Rate(options.RequestsPerSecond, s_second), context.RequestAborted);

    /// <summary>Counts a manifest that is pulled (GET) or pushed (PUT); how long to wait when it is one too many, and by which limit, else null.</summary>
    public ValueTask<(TimeSpan Wait, string Limit)?> CheckManifestAsync(Caller caller, HttpContext context, ProjectFacts? project, RepositoryAction action)
    {
        var isPull = action == RepositoryAction.Pull;
        var limits = new Limits(
            isPull ? options.PullsPerMinutePerCaller : options.PushesPerMinutePerCaller,
            project is null ? 0 : isPull ? project.PullsPerMinute : project.PushesPerMinute,
            isPull ? options.PullsPerMinute : options.PushesPerMinute);
        return limits is { PerCaller: <= 0, InProject: <= 0, Overall: <= 0 } ? default : CountManifestAsync(caller, context, project, isPull, limits);
    }

    private async ValueTask<(TimeSpan Wait, string Limit)?> CountManifestAsync(Caller caller, HttpContext context, ProjectFacts? project, bool isPull, Limits limits)
    {
        var (word, ct) = (isPull ? "pulls" : "pushes", context.RequestAborted);
        var callers = new RateKey(isPull ? RateScope.CallerPull : RateScope.CallerPush, CallerOf(caller, context), 0);
        if (limits.PerCaller > 0 && await rates.TakeAsync(callers, new Rate(limits.PerCaller, s_minute), ct).ConfigureAwait(false) is { } forCaller)
            return (forCaller, $"{limits.PerCaller} {word} a minute for each caller");
        var projects = new RateKey(isPull ? RateScope.ProjectPull : RateScope.ProjectPush, "", project?.Id ?? 0);
        if (limits.InProject > 0 && await rates.TakeAsync(projects, new Rate(limits.InProject, s_minute), ct).ConfigureAwait(false) is { } forProject)
            return (forProject, $"{limits.InProject} {word} a minute in project {project!.Name}");
        var all = new RateKey(isPull ? RateScope.RegistryPull : RateScope.RegistryPush, "", 0);
        if (limits.Overall > 0 && await rates.TakeAsync(all, new Rate(limits.Overall, s_minute), ct).ConfigureAwait(false) is { } forAll)
            return (forAll, $"{limits.Overall} {word} a minute in this registry");
        return null;
    }

    private static string CallerOf(Caller caller, HttpContext context) => caller.IsAnonymous ? context.Connection.RemoteIpAddress?.ToString() ?? "" : caller.Id;

    private readonly record struct Limits(int PerCaller, int InProject, int Overall);
}

/// <summary>Counts against limits: in one process, or in all replicas together.</summary>
internal interface IRates
{
    /// <summary>Counts one; how long to wait when it is one too many, else null.</summary>
    ValueTask<TimeSpan?> TakeAsync(RateKey key, Rate rate, CancellationToken ct);
}

/// <summary>So many in a period; all of them may come at once.</summary>
internal readonly record struct Rate(int Count, TimeSpan Period)
{
    /// <summary>Microseconds after which there is room for one more.</summary>
    public long StepMicroseconds => Math.Max(1, PeriodMicroseconds / Count);

    /// <summary>The period in microseconds.</summary>
    public long PeriodMicroseconds => (long)Period.TotalMicroseconds;
}

/// <summary>What is counted.</summary>
internal enum RateScope
{
    Request,
    CallerPull,
    CallerPush,
    ProjectPull,
    ProjectPush,
    RegistryPull,
    RegistryPush,
}

/// <summary>What is counted, for whom: a caller, a project, or everybody.</summary>
internal readonly record struct RateKey(RateScope Scope, string Caller, long Project)
{
    // The words stand in the database, where replicas of other versions read them.
    private static readonly string[] s_words = ["request", "caller-pull", "caller-push", "project-pull", "project-push", "registry-pull", "registry-push"];

    /// <summary>The key of the row that all replicas count in.</summary>
    public string Text => $"{s_words[(int)Scope]}:{(Project == 0 ? Caller : Project)}";
}
