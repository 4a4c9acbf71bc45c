using System.Text.Json.Serialization;

namespace Berth.Server.Webhooks;

/// <summary>A policy in Harbor's words; <c>repositories</c> and <c>tags</c> are ours.</summary>
public sealed record WebhookPolicyJson
{
    public long Id { get; init; }

    public string? Name { get; init; }

    public string? Description { get; init; }

    /// <summary>Null for one of the installation.</summary>
    public long? ProjectId { get; init; }

    public IReadOnlyList<WebhookTargetJson>? Targets { get; init; }

    public IReadOnlyList<string>? EventTypes { get; init; }

    /// <summary>Glob over repositories, without the project's name in a policy of a project.</summary>
    public string? Repositories { get; init; }

    /// <summary>Glob over tags.</summary>
    public string? Tags { get; init; }

    public string? Creator { get; init; }

    public string? CreationTime { get; init; }

    public string? UpdateTime { get; init; }

    public bool Enabled { get; init; }
}

/// <summary>A receiver in Harbor's words; <c>template</c>, <c>secret</c> and <c>has_secret</c> are ours.</summary>
public sealed record WebhookTargetJson
{
    public string? Type { get; init; }

    public string? Address { get; init; }

    public string? AuthHeader { get; init; }

    public bool SkipCertVerify { get; init; }

    public string? PayloadFormat { get; init; }

    /// <summary>For the payload format <c>Template</c>.</summary>
    public string? Template { get; init; }

    /// <summary>Key of the signature. Never sent back; left out in a change it stays, empty it goes.</summary>
    public string? Secret { get; init; }

    /// <summary>Whether there is a secret. Only sent, not read.</summary>
    public bool? HasSecret { get; init; }
}

/// <summary>When a policy was last triggered by a type of event.</summary>
public sealed record WebhookLastTriggerJson
{
    public required string PolicyName { get; init; }

    public required string EventType { get; init; }

    public bool Enabled { get; init; }

    public required string CreationTime { get; init; }

    public string? LastTriggerTime { get; init; }
}

/// <summary>A delivery, in the words of Harbor's older interface.</summary>
public sealed record WebhookJobJson
{
    public long Id { get; init; }

    public long PolicyId { get; init; }

    public required string EventType { get; init; }

    public required string NotifyType { get; init; }

    public required string Status { get; init; }

    /// <summary>The body that is sent.</summary>
    public required string JobDetail { get; init; }

    public required string CreationTime { get; init; }

    public required string UpdateTime { get; init; }
}

/// <summary>A delivery as an execution of its policy.</summary>
public sealed record WebhookExecutionJson
{
    public long Id { get; init; }

    public required string VendorType { get; init; }

    public long VendorId { get; init; }

    public required string Status { get; init; }

    public string? StatusMessage { get; init; }

    public required WebhookMetricsJson Metrics { get; init; }

    public required string Trigger { get; init; }

    public required WebhookExtraJson ExtraAttrs { get; init; }

    public required string StartTime { get; init; }

    public required string EndTime { get; init; }
}

/// <summary>Counts of an execution's tasks: one task each.</summary>
public sealed record WebhookMetricsJson
{
    public int TaskCount { get; init; } = 1;

    public int? SuccessTaskCount { get; init; }

    public int? ErrorTaskCount { get; init; }

    public int? PendingTaskCount { get; init; }

    public int? RunningTaskCount { get; init; }

    public int? ScheduledTaskCount { get; init; }

    public int? StoppedTaskCount { get; init; }
}

/// <summary>What is said of a delivery beside the words of every job.</summary>
public sealed record WebhookExtraJson
{
    public string? EventType { get; init; }

    public string? Payload { get; init; }
}

/// <summary>The task of a delivery.</summary>
public sealed record WebhookTaskJson
{
    public long Id { get; init; }

    public long ExecutionId { get; init; }

    public required string Status { get; init; }

    public string? StatusMessage { get; init; }

    public int RunCount { get; init; }

    public required string CreationTime { get; init; }

    public required string UpdateTime { get; init; }

    public required string StartTime { get; init; }

    public required string EndTime { get; init; }
}

/// <summary>What policies can ask for.</summary>
public sealed record WebhookSupportJson
{
    public required IReadOnlyList<string> EventType { get; init; }

    public required IReadOnlyList<string> NotifyType { get; init; }

    public required IReadOnlyList<WebhookFormatsJson> PayloadFormats { get; init; }
}

/// <summary>The formats of one kind of receiver.</summary>
public sealed record WebhookFormatsJson
{
    public required string NotifyType { get; init; }

    public required IReadOnlyList<string> Formats { get; init; }
}

/// <summary>Which event the test sends.</summary>
public sealed record WebhookTestJson
{
    public string? EventType { get; init; }
}

/// <summary>Deliveries that were enqueued.</summary>
public sealed record WebhookEnqueuedJson
{
    public required IReadOnlyList<long> Deliveries { get; init; }
}

/// <summary>One delivery, in our words.</summary>
public sealed record WebhookDeliveryJson
{
    public long Id { get; init; }

    public long PolicyId { get; init; }

    public required string EventId { get; init; }

    public required string EventType { get; init; }

    public required string NotifyType { get; init; }

    public required string Status { get; init; }

    public int Attempts { get; init; }

    /// <summary>HTTP status of the last answer.</summary>
    public int? LastStatus { get; init; }

    public string? Error { get; init; }

    public required string CreatedAt { get; init; }

    public string? FinishedAt { get; init; }

    /// <summary>When it is tried next; null when it is not waiting for its time.</summary>
    public string? NextTryAt { get; init; }

    public required string Body { get; init; }
}

/// <summary>A delivery as the payload of its job.</summary>
internal sealed record WebhookDelivery
{
    // First, so that a query can find deliveries of a type by the beginning of the text.
    [JsonPropertyOrder(-1)]
    public required string EventType { get; init; }

    public required string NotifyType { get; init; }

    public required long PolicyId { get; init; }

    /// <summary>Place of the target in the policy.</summary>
    public required int Target { get; init; }

    public required string EventId { get; init; }

    public required string ContentType { get; init; }

    /// <summary>What a mail's subject names.</summary>
    public string? Subject { get; init; }

    public required string Body { get; init; }
}

/// <summary>What came of the last try, the result of its job.</summary>
internal sealed record WebhookAnswer
{
    public int? Status { get; init; }

    public long Milliseconds { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredTarget[]))]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(WebhookBody))]
[JsonSerializable(typeof(WebhookPolicyJson))]
[JsonSerializable(typeof(WebhookPolicyJson[]))]
[JsonSerializable(typeof(WebhookLastTriggerJson[]))]
[JsonSerializable(typeof(WebhookJobJson[]))]
[JsonSerializable(typeof(WebhookExecutionJson[]))]
[JsonSerializable(typeof(WebhookTaskJson[]))]
[JsonSerializable(typeof(WebhookSupportJson))]
[JsonSerializable(typeof(WebhookTestJson))]
[JsonSerializable(typeof(WebhookEnqueuedJson))]
[JsonSerializable(typeof(WebhookDeliveryJson[]))]
[JsonSerializable(typeof(WebhookDelivery))]
[JsonSerializable(typeof(WebhookAnswer))]
internal sealed partial class WebhookJson : JsonSerializerContext;
