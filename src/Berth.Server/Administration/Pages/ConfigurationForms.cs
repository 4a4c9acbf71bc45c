using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Server.Ui;

namespace Berth.Server.Administration.Pages;

/// <summary>The settings that have a form, and what the form does. The others are changed through the API.</summary>
internal static class ConfigurationForms
{
    /// <summary>How a setting is asked for.</summary>
    internal enum Kind
    {
        Flag,
        Text,
        Number,
        Quota,
        Creators,
    }

    /// <summary>In the order of the form.</summary>
    public static readonly IReadOnlyList<(string Name, Kind Kind)> Settings =
    [
        ("banner_message", Kind.Text), ("read_only", Kind.Flag), ("maintenance_mode", Kind.Flag), ("self_registration", Kind.Flag), ("project_creation_restriction", Kind.Creators),
        ("storage_per_project", Kind.Quota), ("token_expiration", Kind.Number), ("session_timeout", Kind.Number), ("robot_token_duration", Kind.Number),
    ];

    /// <summary>What a setting is called.</summary>
    public static string TitleOf(string name, AdministrationWords words) => name switch
    {
        "banner_message" => words.Banner,
        "read_only" => words.ReadOnly,
        "maintenance_mode" => words.Maintenance,
        "self_registration" => words.SelfRegistration,
        "project_creation_restriction" => words.Creators,
        "storage_per_project" => words.DefaultQuota,
        "token_expiration" => words.TokenMinutes,
        "session_timeout" => words.SessionMinutes,
        _ => words.RobotDays,
    };

    /// <summary>Reads them; null when the operation is refused.</summary>
    public static async Task<Values?> ReadAsync(UiCall call) =>
        await call.TextAsync("getConfigurations").ConfigureAwait(false) is { } text ? new Values(JsonNode.Parse(text)!.AsObject()) : null;

    /// <summary>Changes what the form has; what the configuration file fixes is left alone.</summary>
    public static async Task<UiOutcome> SaveAsync(UiCall call, CancellationToken ct)
    {
        if (await ReadAsync(call).ConfigureAwait(false) is not { } now) return UiOutcome.Refuse(call.Words.NotAllowed, 403);
        var body = new JsonObject();
        foreach (var (name, kind) in Settings)
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
