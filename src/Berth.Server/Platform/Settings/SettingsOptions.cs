namespace Berth.Server.Platform.Settings;

/// <summary>Settings that administrators may otherwise change while the server runs (section <c>settings</c>).</summary>
public sealed record SettingsOptions
{
    /// <summary>
    /// Values under Harbor's names, such as <c>self_registration: "true"</c>. What stands here cannot be changed through the API or the web UI.
    /// </summary>
    public IReadOnlyDictionary<string, string> Fixed { get; init; } = new Dictionary<string, string>();
}
