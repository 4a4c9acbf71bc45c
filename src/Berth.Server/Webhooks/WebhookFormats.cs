using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Berth.Server.Webhooks;

/// <summary>A body as it will be sent.</summary>
internal readonly record struct WebhookContent(string ContentType, string Text);

/// <summary>
/// Puts an event into the form that a receiver wants: Harbor's default format, CloudEvents 1.0 in structured mode
/// (https://github.com/cloudevents/spec), Slack's blocks, a template, or the text of a mail.
/// </summary>
internal static class WebhookFormats
{
    private const string JsonType = "application/json";

    // Texts stay readable; receivers parse JSON, nobody puts it into HTML unseen.
    private static readonly JsonWriterOptions s_indented = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The body for a target.</summary>
    public static WebhookContent Write(WebhookTarget target, WebhookEvent e, long policyId) => target.Type switch
    {
        WebhookTarget.Slack => new WebhookContent(JsonType, Slack(e.Body)),
        WebhookTarget.Email => new WebhookContent("text/plain; charset=utf-8", Mail(e.Body)),
        _ => target.Format switch
        {
            WebhookTarget.CloudEventsFormat => new WebhookContent("application/cloudevents+json", CloudEvent(e, policyId)),
            WebhookTarget.TemplateFormat => new WebhookContent(JsonType, WebhookTemplate.Render(target.Template, JsonSerializer.SerializeToElement(e.Body, WebhookJson.Default.WebhookBody))),
            _ => new WebhookContent(JsonType, JsonSerializer.Serialize(e.Body, WebhookJson.Default.WebhookBody)),
        },
    };

    /// <summary>Subject of a mail.</summary>
    public static string SubjectOf(string eventType, string? resource) => resource is null ? $"[Berth] {eventType}" : $"[Berth] {eventType}: {resource}";

    private static string CloudEvent(WebhookEvent e, long policyId) => Write(default, json =>
    {
        json.WriteStartObject();
        json.WriteString("specversion", "1.0");
        json.WriteString("id", e.Id.ToString());
        json.WriteString("source", e.ProjectId == 0 ? $"/webhook/policies/{policyId}" : $"/projects/{e.ProjectId}/webhook/policies/{policyId}");
        json.WriteString("type", WebhookEventTypes.CloudEventTypeOf(e.Body.Type));
        json.WriteString("datacontenttype", JsonType);
        json.WriteString("time", DateTimeOffset.FromUnixTimeSeconds(e.Body.OccurAt).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
        json.WritePropertyName("data");
        JsonSerializer.Serialize(json, e.Body.EventData, WebhookJson.Default.WebhookData);
        json.WriteString("operator", e.Body.Operator);
        // An extension attribute is not empty (CloudEvents 1.0, 3.1).
        if (e.RequestId.Length > 0) json.WriteString("requestid", e.RequestId);
        json.WriteEndObject();
    });

    private static string Slack(WebhookBody body)
    {
        // https://api.slack.com/reference/surfaces/formatting: &, < and > have a meaning in texts; a block's text has at most 3000 characters.
        static string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);
        var data = Escape(Indented(body.EventData));
        if (data.Length > 2900) data = data[..2900] + "…";
        var at = DateTimeOffset.FromUnixTimeSeconds(body.OccurAt).ToString("u", CultureInfo.InvariantCulture);
        string[] texts =
        [
            "*Berth webhook events*", $"*event_type:* {body.Type}", $"*occur_at:* <!date^{body.OccurAt}^{{date}} at {{time}}|{at}>",
            $"*operator:* {Escape(body.Operator)}", "*event_data:*", $"```{data}```",
        ];
        return Write(default, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("blocks");
            foreach (var text in texts)
            {
                json.WriteStartObject();
                json.WriteString("type", "section");
                json.WriteStartObject("text");
                json.WriteString("type", "mrkdwn");
                json.WriteString("text", text);
                json.WriteEndObject();
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    private static string Mail(WebhookBody body)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"event:    {body.Type}\n");
        text.Append(CultureInfo.InvariantCulture, $"time:     {DateTimeOffset.FromUnixTimeSeconds(body.OccurAt):u}\n");
        text.Append(CultureInfo.InvariantCulture, $"operator: {body.Operator}\n");
        foreach (var resource in body.EventData.Resources ?? []) text.Append(CultureInfo.InvariantCulture, $"artifact: {resource.ResourceUrl ?? resource.Digest}\n");
        return text.Append('\n').Append(Indented(body.EventData)).Append('\n').ToString();
    }

    private static string Indented(WebhookData data) => Write(s_indented, json => JsonSerializer.Serialize(json, data, WebhookJson.Default.WebhookData));

    private static string Write(JsonWriterOptions options, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, options)) write(json);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
