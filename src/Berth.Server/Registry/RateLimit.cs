using System.Collections.Concurrent;
using Berth.Server.Access;
using Berth.Server.Projects;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Registry;

/// <summary>
/// How often callers may come. Requests of any kind: so many a second for each caller, or for each address while nobody is signed in. Manifests pulled and pushed: so many a
/// minute for each caller, for each project and for the whole registry. All by the generic cell rate algorithm, one number a key: what is allowed in a
/// period may come at once. Each replica counts for itself.
/// </summary>
internal sealed class RateLimit(RegistryOptions options, TimeProvider time)
{
    private const int MaxKeys = 100_000;

    private readonly ConcurrentDictionary<Key, long> _earliest = new();

    /// <summary>Counts a request; how long to wait when it is one too many, else null.</summary>
    public TimeSpan? Check(Caller caller, HttpContext context) =>
        options.RequestsPerSecond <= 0 ? null : Take(new Key(Scope.Request, CallerOf(caller, context), 0), options.RequestsPerSecond, TimeSpan.FromSeconds(1));

    /// <summary>Counts a manifest that is pulled (GET) or pushed (PUT); how long to wait when it is one too many, and by which limit, else null.</summary>
    public (TimeSpan Wait, string Limit)? CheckManifest(Caller caller, HttpContext context, ProjectFacts? project, RepositoryAction action)
    {
        var isPull = action == RepositoryAction.Pull;
        var (perCaller, whole) = isPull ? (options.PullsPerMinutePerCaller, options.PullsPerMinute) : (options.PushesPerMinutePerCaller, options.PushesPerMinute);
        var inProject = project is null ? 0 : isPull ? project.PullsPerMinute : project.PushesPerMinute;
        if (perCaller <= 0 && whole <= 0 && inProject <= 0) return null;
        var word = isPull ? "pulls" : "pushes";
        if (perCaller > 0 && Take(new Key(isPull ? Scope.CallerPull : Scope.CallerPush, CallerOf(caller, context), 0), perCaller, s_minute) is { } forCaller)
            return (forCaller, $"{perCaller} {word} a minute for each caller");
        if (inProject > 0 && Take(new Key(isPull ? Scope.ProjectPull : Scope.ProjectPush, "", project!.Id), inProject, s_minute) is { } forProject)
            return (forProject, $"{inProject} {word} a minute in project {project.Name}");
        if (whole > 0 && Take(new Key(isPull ? Scope.RegistryPull : Scope.RegistryPush, "", 0), whole, s_minute) is { } forAll)
            return (forAll, $"{whole} {word} a minute in this registry");
        return null;
    }

    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    private static string CallerOf(Caller caller, HttpContext context) => caller.IsAnonymous ? context.Connection.RemoteIpAddress?.ToString() ?? "" : caller.Id;

    private TimeSpan? Take(Key key, int perPeriod, TimeSpan period)
    {
        var now = time.GetTimestamp();
        var ticks = (long)(time.TimestampFrequency * period.TotalSeconds);
        var step = Math.Max(1, ticks / perPeriod);
        // Forgetting everybody is a period of leniency, not a leak.
        if (_earliest.Count > MaxKeys) _earliest.Clear();
        while (true)
        {
            var known = _earliest.TryGetValue(key, out var earliest);
            var next = Math.Max(known ? earliest : now, now) + step;
            if (next - now > ticks + step / 2) return TimeSpan.FromSeconds((double)(next - now - ticks) / time.TimestampFrequency);
            if (known ? _earliest.TryUpdate(key, next, earliest) : _earliest.TryAdd(key, next)) return null;
        }
    }

    private enum Scope
    {
        Request,
        CallerPull,
        CallerPush,
        ProjectPull,
        ProjectPush,
        RegistryPull,
        RegistryPush,
    }

    private readonly record struct Key(Scope Scope, string Caller, long Project);
}
