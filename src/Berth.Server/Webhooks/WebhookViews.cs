using System.Globalization;
using System.Text.Json;
using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Text;

namespace Berth.Server.Webhooks;

/// <summary>Policies and deliveries as the two interfaces show them. No I/O.</summary>
internal static class WebhookViews
{
    // What Go writes for a time that is not there.
    private const string NoTime = "0001-01-01T00:00:00Z";

    public static WebhookPolicyJson Policy(WebhookPolicy policy, WebhookTargets targets) => new()
    {
        Id = policy.Id,
        Name = policy.Name,
        Description = policy.Description.Length == 0 ? null : policy.Description,
        ProjectId = policy.ProjectId,
        EventTypes = EventTypesOf(policy),
        Repositories = policy.Repositories,
        Tags = policy.Tags,
        Creator = policy.Creator,
        CreationTime = UtcText.Of(policy.CreatedAt),
        UpdateTime = UtcText.Of(policy.UpdatedAt),
        Enabled = policy.Enabled,
        Targets =
        [
            .. targets.Read(policy.Targets).Select(t => new WebhookTargetJson
            {
                Type = t.Type,
                Address = t.Address,
                AuthHeader = t.AuthHeader.Length == 0 ? null : t.AuthHeader,
                SkipCertVerify = t.SkipCertVerify,
                PayloadFormat = t.Format.Length == 0 ? null : t.Format,
                Template = t.Template.Length == 0 ? null : t.Template,
                HasSecret = t.Secret.Length > 0 ? true : null,
            }),
        ],
    };

    public static IReadOnlyList<string> EventTypesOf(WebhookPolicy policy) => JsonSerializer.Deserialize(policy.EventTypes, WebhookJson.Default.StringArray) ?? [];

    public static WebhookLastTriggerJson LastTrigger(WebhookPolicy policy, string eventType, long? at) => new()
    {
        PolicyName = policy.Name,
        EventType = eventType,
        Enabled = policy.Enabled,
        CreationTime = UtcText.Of(policy.CreatedAt),
        LastTriggerTime = at is { } time ? UtcText.Of(time) : null,
    };

    public static WebhookJobJson Job(Job job, DateTimeOffset now)
    {
        var delivery = WebhookPublisher.DeliveryOf(job.Payload);
        return new WebhookJobJson
        {
            Id = job.Id,
            PolicyId = delivery.PolicyId,
            EventType = delivery.EventType,
            NotifyType = delivery.NotifyType,
            Status = JobWords.StatusOf(job, now),
            JobDetail = delivery.Body,
            CreationTime = UtcText.Of(job.CreatedAt),
            UpdateTime = UtcText.Of(UpdatedAt(job)),
        };
    }

    public static WebhookExecutionJson Execution(Job job, DateTimeOffset now)
    {
        var delivery = WebhookPublisher.DeliveryOf(job.Payload);
        var status = JobWords.StatusOf(job, now);
        return new WebhookExecutionJson
        {
            Id = job.Id,
            VendorType = delivery.NotifyType == WebhookTarget.Slack ? "SLACK" : "WEBHOOK",
            VendorId = delivery.PolicyId,
            // Harbor's executions know no Scheduled.
            Status = status == "Scheduled" ? "Running" : status,
            StatusMessage = job.Error,
            Metrics = new WebhookMetricsJson
            {
                SuccessTaskCount = One(status, "Success"),
                ErrorTaskCount = One(status, "Error"),
                PendingTaskCount = One(status, "Pending"),
                RunningTaskCount = One(status, "Running"),
                ScheduledTaskCount = One(status, "Scheduled"),
                StoppedTaskCount = One(status, "Stopped"),
            },
            Trigger = JobWords.TriggerOf(job.Trigger),
            ExtraAttrs = new WebhookExtraJson { EventType = delivery.EventType, Payload = delivery.Body },
            StartTime = Seconds(job.CreatedAt),
            EndTime = Seconds(job.FinishedAt),
        };

        static int? One(string status, string word) => status == word ? 1 : null;
    }

    public static WebhookTaskJson Task(Job job, DateTimeOffset now) => new()
    {
        Id = job.Id,
        ExecutionId = job.Id,
        Status = JobWords.StatusOf(job, now),
        StatusMessage = job.Error,
        RunCount = job.Attempts,
        CreationTime = Seconds(job.CreatedAt),
        UpdateTime = Seconds(UpdatedAt(job)),
        StartTime = Seconds(job.StartedAt),
        EndTime = Seconds(job.FinishedAt),
    };

    public static WebhookDeliveryJson Delivery(Job job, DateTimeOffset now)
    {
        var delivery = WebhookPublisher.DeliveryOf(job.Payload);
        var answer = job.Result is null ? null : JsonSerializer.Deserialize(job.Result, WebhookJson.Default.WebhookAnswer);
        return new WebhookDeliveryJson
        {
            Id = job.Id,
            PolicyId = delivery.PolicyId,
            EventId = delivery.EventId,
            EventType = delivery.EventType,
            NotifyType = delivery.NotifyType,
            Status = JobWords.StatusOf(job, now),
            Attempts = job.Attempts,
            LastStatus = answer?.Status,
            Error = job.State == JobState.Succeeded ? null : job.Error,
            CreatedAt = UtcText.Of(job.CreatedAt),
            FinishedAt = job.FinishedAt is { } at ? UtcText.Of(at) : null,
            NextTryAt = job.State == JobState.Pending ? UtcText.Of(job.DueAt) : null,
            Body = delivery.Body,
        };
    }

    /// <summary>A log as lines of text, as Harbor writes them.</summary>
    public static string Log(IEnumerable<JobLogLine> lines) =>
        string.Concat(lines.Select(l => $"{Seconds(l.At)} [INFO] {l.Text}\n"));

    private static long UpdatedAt(Job job) => job.FinishedAt ?? job.StartedAt ?? job.CreatedAt;

    private static string Seconds(long? at) => at is { } time ? DateTimeOffset.FromUnixTimeMilliseconds(time).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture) : NoTime;
}
