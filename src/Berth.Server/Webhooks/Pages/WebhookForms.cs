using System.Text.Json.Nodes;
using Berth.Server.Ui;

namespace Berth.Server.Webhooks.Pages;

/// <summary>What the forms of webhooks do: of a project, or of the installation where the path names none.</summary>
internal static class WebhookForms
{
    private static readonly string[] s_events =
    [
        WebhookEventTypes.PushArtifact, WebhookEventTypes.PullArtifact, WebhookEventTypes.DeleteArtifact, WebhookEventTypes.QuotaExceed, WebhookEventTypes.QuotaWarning,
        WebhookEventTypes.TagRetention, WebhookEventTypes.TagExpiring, WebhookEventTypes.TagExpired, WebhookEventTypes.ScanningCompleted, WebhookEventTypes.ScanningFailed,
        WebhookEventTypes.ScanningStopped, WebhookEventTypes.NewFindings,
    ];

    /// <summary>The events that there are today, of a project or of the installation.</summary>
    public static IReadOnlyList<string> EventsOf(UiCall call) => call.Project is null ? [.. s_events, WebhookEventTypes.Management] : s_events;

    /// <summary>Makes a webhook.</summary>
    public static async Task<UiOutcome> CreateAsync(UiCall call, CancellationToken ct)
    {
        var words = new WebhookWords(call.Language);
        var events = call.Form!["event"].Where(e => e is not null && EventsOf(call).Contains(e)).ToList();
        if (events.Count == 0) return UiOutcome.Refuse(words.NoEvents);
        var target = new JsonObject { ["type"] = call.Field("type"), ["address"] = call.Field("address") };
        if (call.Field("secret") is { Length: > 0 } secret) target["secret"] = secret;
        return await call.ChangeAsync(call.Project is null ? "createWebhook" : "CreateWebhookPolicyOfProject", PathOf(call), words.Made, body: new JsonObject
        {
            ["name"] = call.Field("name"),
            ["enabled"] = true,
            ["event_types"] = new JsonArray([.. events.Select(e => JsonValue.Create(e))]),
            ["targets"] = new JsonArray(target),
        }).ConfigureAwait(false);
    }

    /// <summary>Deletes a webhook.</summary>
    public static Task<UiOutcome> DeleteAsync(UiCall call, CancellationToken ct) =>
        call.ChangeAsync(call.Project is null ? "deleteWebhook" : "DeleteWebhookPolicyOfProject", PathOf(call), new WebhookWords(call.Language).Gone, [("webhook_policy_id", call.Field("id"))]);

    /// <summary>Sends a made-up event.</summary>
    public static Task<UiOutcome> TestAsync(UiCall call, CancellationToken ct) => call.ChangeAsync(
        "testWebhook", $"{PathOf(call)}?hook={Uri.EscapeDataString(call.Field("id"))}", new WebhookWords(call.Language).TestSent, [("webhook_policy_id", call.Field("id"))], new JsonObject());

    /// <summary>Sends a delivery again.</summary>
    public static Task<UiOutcome> ReplayAsync(UiCall call, CancellationToken ct) => call.ChangeAsync(
        "replayWebhookDelivery", $"{PathOf(call)}?hook={Uri.EscapeDataString(call.Field("id"))}", new WebhookWords(call.Language).Replayed,
        [("webhook_policy_id", call.Field("id")), ("delivery_id", call.Field("delivery"))]);

    private static string PathOf(UiCall call) => call.Project is { } project ? $"/projects/{Uri.EscapeDataString(project.Name)}/webhooks" : "/administration/webhooks";
}
