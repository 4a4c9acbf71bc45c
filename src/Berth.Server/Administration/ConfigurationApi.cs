using System.Globalization;
using System.Text.Json;
using Berth.Server.Api;
using Berth.Server.Audit;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Settings;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Administration;

/// <summary>
/// Harbor's operations on settings. Each is shown with its value and whether it can be changed; secrets are not shown. What the configuration file fixes cannot
/// be changed here.
/// </summary>
internal sealed class ConfigurationApi(Database database, RuntimeSettings settings, DomainEvents events, TimeProvider time)
{
    internal static IEnumerable<ApiOperation> Operations(ConfigurationApi api) =>
    [
        new(HttpMethods.Get, "/configurations", "getConfigurations", "configure", ApiNeed.Admin, api.GetAsync) { Summary = "All settings that can be changed while the server runs, secrets left out" },
        new(HttpMethods.Put, "/configurations", "updateConfigurations", "configure", ApiNeed.Admin, api.UpdateAsync) { Body = typeof(JsonElement), RunsInReadOnlyMode = true, Summary = "Changes settings" },
        new(HttpMethods.Get, "/internalconfig", "getInternalconfig", "configure", ApiNeed.Admin, api.GetAsync) { Summary = "The same as /configurations: Berth has no settings that are read from inside only" },
    ];

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var values = await settings.ReadAsync(ct).ConfigureAwait(false);
        return ApiResult.Stream("application/json; charset=utf-8", async (context, token) =>
        {
            await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
            json.WriteStartObject();
            foreach (var setting in RuntimeSettingTable.All)
            {
                if (!setting.IsSecret && setting != RuntimeSettingTable.ScanAllPolicy) Write(json, setting, values);
            }
            json.WriteEndObject();
            await json.FlushAsync(token).ConfigureAwait(false);
        });
    }

    private static void Write(Utf8JsonWriter json, RuntimeSetting setting, SettingValues values)
    {
        json.WriteStartObject(setting.Name);
        switch (values.ValueOf(setting))
        {
            case bool flag:
                json.WriteBoolean("value", flag);
                break;
            case long number:
                json.WriteNumber("value", number);
                break;
            case var text:
                json.WriteString("value", (string)text);
                break;
        }
        json.WriteBoolean("editable", !values.IsFixed(setting));
        json.WriteEndObject();
    }

    private async Task<ApiResult> UpdateAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(AdministrationJson.Default.JsonDocument, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        using (body)
        {
            if (body.RootElement.ValueKind != JsonValueKind.Object) return ApiResult.Fail(ApiError.Unprocessable, "the body must be a JSON object");
            var before = await settings.ReadAsync(ct).ConfigureAwait(false);
            var (changes, problem) = Read(body.RootElement, before);
            if (problem is not null) return problem;
            return await database.WriteAsync(Durability.Full, async (session, token) => await ApplyAsync(session, call, changes, token).ConfigureAwait(false), ct).ConfigureAwait(false);
        }
    }

    private async Task<ApiResult> ApplyAsync(DbSession session, ApiCall call, Dictionary<RuntimeSetting, string> changes, CancellationToken ct)
    {
        var now = await settings.ReadAsync(session, ct).ConfigureAwait(false);
        if (CheckTogether(changes, now) is { } problem) return ApiResult.BadRequest(problem);
        var real = changes.Where(c => now.TextOf(c.Key) != c.Value).ToDictionary();
        if (real.Count == 0) return ApiResult.Done;
        await settings.SetAsync(session, real, time.GetUtcNow().ToUnixTimeMilliseconds(), ct).ConfigureAwait(false);
        var names = string.Join(", ", real.Keys.Select(s => s.Name).Order(StringComparer.Ordinal));
        await events.RaiseAsync(session, new DomainEvent
        {
            Operation = "update",
            ResourceType = "configuration",
            Resource = names,
            Actor = call.Actor,
            Description = "update configuration: " + string.Join(", ", real.OrderBy(c => c.Key.Name, StringComparer.Ordinal).Select(c => $"{c.Key.Name}={(c.Key.IsSecret ? "***" : c.Value)}")),
        }, ct).ConfigureAwait(false);
        return ApiResult.Done;
    }

    // Names that are no settings are left alone, as Harbor does: its clients send back what they have read from other versions.
    private static (Dictionary<RuntimeSetting, string> Changes, ApiResult? Problem) Read(JsonElement body, SettingValues before)
    {
        var changes = new Dictionary<RuntimeSetting, string>();
        var wrong = new List<string>();
        var isFixed = new List<string>();
        foreach (var property in body.EnumerateObject())
        {
            if (property.Value.ValueKind == JsonValueKind.Null || RuntimeSettingTable.Find(property.Name) is not { } setting) continue;
            if (TextOf(property.Value, setting) is not { } text)
            {
                return ([], ApiResult.Fail(ApiError.Unprocessable, $"{setting.Name} is of another type"));
            }
            if (setting.Check(text) is { } problem) wrong.Add(problem);
            else if (setting == RuntimeSettingTable.AuditLogForwardEndpoint && text.Length > 0 && AuditTarget.TryParse(text) is null) wrong.Add($"{setting.Name} must be host:port, syslog+tls://host:port or an http or https address");
            else if (!before.IsFixed(setting)) changes[setting] = text;
            else if (before.ValueOf(setting) is var value && !Equals(value, setting.TryParse(text))) isFixed.Add(setting.Name);
        }
        if (wrong.Count > 0) return (changes, ApiResult.BadRequest(string.Join("; ", wrong)));
        return (changes, isFixed.Count == 0 ? null : ApiResult.Forbidden($"the configuration file fixes {string.Join(", ", isFixed)}: change it there"));
    }

    private static string? CheckTogether(Dictionary<RuntimeSetting, string> changes, SettingValues now)
    {
        var skip = changes.GetValueOrDefault(RuntimeSettingTable.SkipAuditLogDatabase) ?? now.TextOf(RuntimeSettingTable.SkipAuditLogDatabase);
        var target = changes.GetValueOrDefault(RuntimeSettingTable.AuditLogForwardEndpoint) ?? now.TextOf(RuntimeSettingTable.AuditLogForwardEndpoint);
        var concerns = changes.ContainsKey(RuntimeSettingTable.SkipAuditLogDatabase) || changes.ContainsKey(RuntimeSettingTable.AuditLogForwardEndpoint);
        return concerns && target.Length == 0 && RuntimeSettingTable.SkipAuditLogDatabase.TryParse(skip) is true
            ? "audit log forward endpoint should be configured before enable skip audit log in database"
            : null;
    }

    private static string? TextOf(JsonElement value, RuntimeSetting setting) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.True when setting.Kind == SettingKind.Flag => "true",
        JsonValueKind.False when setting.Kind == SettingKind.Flag => "false",
        JsonValueKind.Number when setting.Kind is SettingKind.Number or SettingKind.Duration or SettingKind.Quota or SettingKind.LdapScope =>
            value.TryGetInt64(out var number) ? number.ToString(CultureInfo.InvariantCulture) : value.GetRawText(),
        JsonValueKind.Object when setting.Kind is SettingKind.Map or SettingKind.TextMap => value.GetRawText(),
        _ => null,
    };
}
