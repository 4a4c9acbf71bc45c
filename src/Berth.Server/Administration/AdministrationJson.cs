using System.Text.Json;
using System.Text.Json.Serialization;

namespace Berth.Server.Administration;

/// <summary>What the installation is. What is null is not for callers without sign-in.</summary>
public sealed record GeneralInfo
{
    public string BannerMessage { get; init; } = "";

    public string? CurrentTime { get; init; }

    public string? RegistryUrl { get; init; }

    public string? ExternalUrl { get; init; }

    public string AuthMode { get; init; } = "";

    public bool PrimaryAuthMode { get; init; }

    public string? ProjectCreationRestriction { get; init; }

    public bool SelfRegistration { get; init; }

    public bool? HasCaRoot { get; init; }

    public string? HarborVersion { get; init; }

    public string? RegistryStorageProviderName { get; init; }

    public bool? ReadOnly { get; init; }

    public bool? NotificationEnable { get; init; }

    public string OidcProviderName { get; init; } = "";
}

/// <summary>Size of the storage.</summary>
public sealed record SystemVolumes
{
    public IReadOnlyList<Volume> Storage { get; init; } = [];
}

/// <summary>One volume, in bytes.</summary>
public sealed record Volume
{
    public long Total { get; init; }

    public long Free { get; init; }
}

/// <summary>Version of the API.</summary>
public sealed record ApiVersion
{
    public string Version { get; init; } = "v2.0";
}

/// <summary>Whether all parts are well: <c>healthy</c> or <c>unhealthy</c>.</summary>
public sealed record OverallHealthStatus
{
    public string Status { get; init; } = "";

    public IReadOnlyList<ComponentHealthStatus> Components { get; init; } = [];
}

/// <summary>Whether one part is well.</summary>
public sealed record ComponentHealthStatus
{
    public string Name { get; init; } = "";

    public string Status { get; init; } = "";

    public string? Error { get; init; }
}

/// <summary>Counts; bytes for the storage.</summary>
public sealed record Statistic
{
    public long PrivateProjectCount { get; init; }

    public long PrivateRepoCount { get; init; }

    public long PublicProjectCount { get; init; }

    public long PublicRepoCount { get; init; }

    public long TotalProjectCount { get; init; }

    public long TotalRepoCount { get; init; }

    public long TotalStorageConsumption { get; init; }
}

/// <summary>What a search found.</summary>
public sealed record SearchResult
{
    public IReadOnlyList<SearchProject> Project { get; init; } = [];

    public IReadOnlyList<SearchRepository> Repository { get; init; } = [];

    /// <summary>Always empty: charts are artifacts. Clients of older versions of Harbor look for it.</summary>
    public IReadOnlyList<string> Chart { get; init; } = [];
}

/// <summary>A project that a search found.</summary>
public sealed record SearchProject
{
    public long ProjectId { get; init; }

    public long OwnerId { get; init; }

    public string Name { get; init; } = "";

    public string CreationTime { get; init; } = "";

    public string UpdateTime { get; init; } = "";

    public bool Deleted { get; init; }

    public string OwnerName { get; init; } = "";

    public long RepoCount { get; init; }

    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();
}

/// <summary>A repository that a search found.</summary>
public sealed record SearchRepository
{
    public long ProjectId { get; init; }

    public string ProjectName { get; init; } = "";

    public bool ProjectPublic { get; init; }

    public string RepositoryName { get; init; } = "";

    public long PullCount { get; init; }

    public long ArtifactCount { get; init; }
}

/// <summary>A schedule.</summary>
public sealed record ScheduleTask
{
    public long Id { get; init; }

    public string VendorType { get; init; } = "";

    public long VendorId { get; init; }

    public string Cron { get; init; } = "";

    public string UpdateTime { get; init; } = "";
}

/// <summary>Whether schedules fire.</summary>
public sealed record SchedulerStatus
{
    public bool Paused { get; init; }
}

/// <summary>Those who run jobs.</summary>
public sealed record WorkerPool
{
    public long Pid { get; init; }

    public string WorkerPoolId { get; init; } = "";

    public string StartAt { get; init; } = "";

    public string HeartbeatAt { get; init; } = "";

    public long Concurrency { get; init; }

    public string Host { get; init; } = "";
}

/// <summary>A job that runs.</summary>
public sealed record Worker
{
    public string Id { get; init; } = "";

    public string PoolId { get; init; } = "";

    public string JobName { get; init; } = "";

    public string JobId { get; init; } = "";

    public string StartAt { get; init; } = "";

    public string CheckIn { get; init; } = "";
}

/// <summary>Waiting jobs of one kind; latency in seconds.</summary>
public sealed record JobQueueView
{
    public string JobType { get; init; } = "";

    public long Count { get; init; }

    public long Latency { get; init; }

    public bool Paused { get; init; }
}

/// <summary>What to do with a queue: <c>stop</c>, <c>pause</c> or <c>resume</c>.</summary>
public sealed record ActionRequest
{
    public string Action { get; init; } = "";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(JsonDocument))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(GeneralInfo))]
[JsonSerializable(typeof(SystemVolumes))]
[JsonSerializable(typeof(ApiVersion))]
[JsonSerializable(typeof(OverallHealthStatus))]
[JsonSerializable(typeof(Statistic))]
[JsonSerializable(typeof(SearchResult))]
[JsonSerializable(typeof(List<ScheduleTask>))]
[JsonSerializable(typeof(SchedulerStatus))]
[JsonSerializable(typeof(List<WorkerPool>))]
[JsonSerializable(typeof(List<Worker>))]
[JsonSerializable(typeof(List<JobQueueView>))]
[JsonSerializable(typeof(ActionRequest))]
internal sealed partial class AdministrationJson : JsonSerializerContext;
