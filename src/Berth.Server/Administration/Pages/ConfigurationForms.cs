using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Server.Ui;

namespace Berth.Server.Administration.Pages;

/// <summary>The settings that have a form, and what the form does. Those of outside accounts have a page of their own, <c>/administration/identity</c>.</summary>
internal static class ConfigurationForms
{
    /// <summary>How a setting is asked for.</summary>
    internal enum Kind
    {
        Flag,
        Text,
        LongText,
        Number,
        Quota,
        Creators,
        Mode,
    }

    /// <summary>In the order of the form, by what they are about.</summary>
    public static readonly IReadOnlyList<(string Group, IReadOnlyList<(string Name, Kind Kind)> Settings)> Groups =
    [
        ("operation", [("banner_message", Kind.LongText), ("read_only", Kind.Flag), ("maintenance_mode", Kind.Flag)]),
        ("accounts",
        [
            ("auth_mode", Kind.Mode), ("primary_auth_mode", Kind.Flag), ("self_registration", Kind.Flag), ("session_timeout", Kind.Number), ("token_expiration", Kind.Number),
            ("robot_token_duration", Kind.Number), ("robot_name_prefix", Kind.Text),
        ]),
        ("projects", [("project_creation_restriction", Kind.Creators), ("quota_per_project_enable", Kind.Flag), ("storage_per_project", Kind.Quota), ("notification_enable", Kind.Flag)]),
        ("pulls", [("pull_time_update_disable", Kind.Flag), ("pull_count_update_disable", Kind.Flag), ("scanner_skip_update_pulltime", Kind.Flag)]),
        ("audit", [("pull_audit_log_disable", Kind.Flag), ("disabled_audit_log_event_types", Kind.Text), ("audit_log_forward_endpoint", Kind.Text), ("skip_audit_log_database", Kind.Flag)]),
    ];

    /// <summary>What a setting is called.</summary>
    public static string TitleOf(string name, AdministrationWords words) => name switch
    {
        "banner_message" => words.Banner,
        "read_only" => words.ReadOnly,
        "maintenance_mode" => words.Maintenance,
        "auth_mode" => words.AuthMode,
        "primary_auth_mode" => words.PrimaryAuthMode,
        "self_registration" => words.SelfRegistration,
        "project_creation_restriction" => words.Creators,
        "quota_per_project_enable" => words.QuotasEnforced,
        "storage_per_project" => words.DefaultQuota,
        "notification_enable" => words.WebhooksSent,
        "token_expiration" => words.TokenMinutes,
        "session_timeout" => words.SessionMinutes,
        "robot_token_duration" => words.RobotDays,
        "robot_name_prefix" => words.RobotPrefix,
        "pull_time_update_disable" => words.NoPullTime,
        "pull_count_update_disable" => words.NoPullCount,
        "scanner_skip_update_pulltime" => words.NoScannerPullTime,
        "pull_audit_log_disable" => words.NoPullAudit,
        "disabled_audit_log_event_types" => words.UnauditedEvents,
        "audit_log_forward_endpoint" => words.AuditTarget,
        "skip_audit_log_database" => words.AuditOnlySent,
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "no title for this setting"),
    };

    /// <summary>What is expected; null where the name says it all.</summary>
    public static string? HintOf(string name, AdministrationWords words) => name switch
    {
        "banner_message" => words.BannerHint,
        "storage_per_project" => words.QuotaHint,
        "disabled_audit_log_event_types" => words.UnauditedHint,
        "audit_log_forward_endpoint" => words.AuditTargetHint,
        "robot_name_prefix" => words.RobotPrefixHint,
        _ => null,
    };

    /// <summary>Reads them; null when the operation is refused.</summary>
    public static async Task<Values?> ReadAsync(UiCall call) =>
        await call.TextAsync("getConfigurations").ConfigureAwait(false) is { } text ? new Values(JsonNode.Parse(text)!.AsObject()) : null;

    /// <summary>Changes what the form has; what the configuration file fixes is left alone.</summary>
    public static async Task<UiOutcome> SaveAsync(UiCall call, CancellationToken ct)
    {
        if (await ReadAsync(call).ConfigureAwait(false) is not { } now) return UiOutcome.Refuse(call.Words.NotAllowed, 403);
        var body = new JsonObject();
        foreach (var (name, kind) in Groups.SelectMany(g => g.Settings))
        {
            if (!now.IsEditable(name)) continue;
            var text = call.Field(name);
            switch (kind)
            {
                case Kind.Flag:
                    body[name] = text.Length > 0;
                    break;
                case Kind.Number when long.TryParse(text, CultureInfo.InvariantCulture, out var number):
                    body[name] = number;
                    break;
                // Three digits are shown: what nobody has changed stays as it is.
                case Kind.Quota when text == now.TextOf((name, kind)):
                    break;
                case Kind.Quota when Sizes.Parse(text) is { } bytes:
                    body[name] = bytes;
                    break;
                case Kind.Quota:
                    return UiOutcome.Refuse(new AdministrationWords(call.Language).QuotaWrong);
                default:
                    body[name] = text;
                    break;
            }
        }
        return await call.ChangeAsync("updateConfigurations", "/administration/configuration", call.Words.Saved, body: body).ConfigureAwait(false);
    }

    /// <summary>The settings as the operation shows them.</summary>
    internal sealed class Values(JsonObject all)
    {
        /// <summary>Whether it can be changed here.</summary>
        public bool IsEditable(string name) => all[name]?["editable"]?.GetValue<bool>() == true;

        /// <summary>What the form shows.</summary>
        public string TextOf((string Name, Kind Kind) setting)
        {
            var value = all[setting.Name]?["value"];
            if (value is null) return "";
            var text = value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : value.ToJsonString();
            return setting.Kind == Kind.Quota && long.TryParse(text, CultureInfo.InvariantCulture, out var bytes) ? (bytes < 0 ? "" : Sizes.Text(bytes)) : text;
        }
    }
}
