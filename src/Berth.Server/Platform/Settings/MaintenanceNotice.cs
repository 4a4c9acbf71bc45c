using System.Text.Json;

namespace Berth.Server.Platform.Settings;

/// <summary>What callers are told while the installation is under maintenance.</summary>
public static class MaintenanceNotice
{
    /// <summary>When they should come again.</summary>
    public static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(1);

    private const string Default = "the registry is under maintenance, try again later";

    /// <summary>The banner, which is text or Harbor's JSON with a <c>message</c>; without one a sentence of ours.</summary>
    public static string TextOf(SettingValues values)
    {
        var banner = values.Of(RuntimeSettingTable.BannerMessage).Trim();
        if (banner.Length == 0) return Default;
        if (banner[0] != '{') return banner;
        try
        {
            using var json = JsonDocument.Parse(banner);
            return json.RootElement.TryGetProperty("message", out var message) && message.ValueKind == JsonValueKind.String && message.GetString() is { Length: > 0 } text ? text : Default;
        }
        catch (JsonException)
        {
            return banner;
        }
    }
}
