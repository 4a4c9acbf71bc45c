using System.Globalization;
using Berth.Server.Platform.Events;

namespace Berth.Server.Quotas;

/// <summary>What happened to a project's quota, beside the words of every event.</summary>
/// <param name="Repository">Repository that was pushed to.</param>
/// <param name="UsedBytes">What the project uses.</param>
/// <param name="QuotaBytes">What it may use.</param>
/// <param name="AddedBytes">What the push adds, or would have added.</param>
public sealed record QuotaDetail(string Repository, long UsedBytes, long QuotaBytes, long AddedBytes);

/// <summary>Events of quotas: operation <c>exceed</c> or <c>warn</c> on the resource type <c>quota</c>.</summary>
internal static class QuotaEvents
{
    public const string ResourceType = "quota";
    public const string Exceed = "exceed";
    public const string Warn = "warn";

    /// <summary>A push was refused.</summary>
    public static DomainEvent Exceeded(long projectId, string project, string repository, UsageChange usage, EventActor actor) =>
        Event(Exceed, projectId, project, repository, usage, actor,
            $"adding {Size(usage.Delta)} of storage resource, which when updated to current usage of {Size(usage.UsedBytes)} will exceed the configured upper limit of {Size(usage.QuotaBytes)}.");

    /// <summary>A push has brought the project near its limit.</summary>
    public static DomainEvent Warning(long projectId, string project, string repository, UsageChange usage, EventActor actor) =>
        Event(Warn, projectId, project, repository, usage, actor,
            $"quota usage reach {(usage.UsedBytes * 100 / usage.QuotaBytes).ToString(CultureInfo.InvariantCulture)}%: resource storage used {Size(usage.UsedBytes)} of {Size(usage.QuotaBytes)}");

    private static DomainEvent Event(string operation, long projectId, string project, string repository, UsageChange usage, EventActor actor, string description) => new()
    {
        Operation = operation,
        ResourceType = ResourceType,
        Resource = project,
        ProjectId = projectId,
        ProjectName = project,
        Actor = actor,
        Description = description,
        Detail = new QuotaDetail(repository, usage.UsedBytes, usage.QuotaBytes, usage.Delta),
        IsSuccessful = operation != Exceed,
    };

    private static string Size(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
        var value = (double)bytes;
        var unit = 0;
        for (; value >= 1024 && unit < units.Length - 1; unit++) value /= 1024;
        return string.Create(CultureInfo.InvariantCulture, $"{value:0.#} {units[unit]}");
    }
}
