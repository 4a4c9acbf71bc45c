using Berth.Server.Platform.Health;
using Berth.Server.Platform.Settings;
using Berth.Server.Ui.Components;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Ui;

/// <summary>Draws components as HTML: first the page, which says its title and may find that it cannot be shown, then the frame around it.</summary>
internal sealed class UiDrawing(IServiceProvider services, ILoggerFactory loggers, UiAssets assets, RuntimeSettings settings, HealthMonitor health)
{
    /// <summary>The whole document of a page.</summary>
    public async Task<string> DrawAsync(UiCall call, Type page, bool isAnonymousSignIn, CancellationToken ct)
    {
        var body = await DrawAsync(page, new() { ["Call"] = call }).ConfigureAwait(false);
        if (call.RedirectTo is not null) return "";
        if (call.Failure is not null) body = await DrawAsync(typeof(FailurePage), new() { ["Call"] = call }).ConfigureAwait(false);
        var values = await settings.ReadAsync(ct).ConfigureAwait(false);
        var frame = new FrameFacts(
            body, assets.PathOf("berth.css"), assets.PathOf("berth.js"), assets.PathOf("berth.svg"), values.Of(RuntimeSettingTable.BannerMessage).Length == 0 ? "" : MaintenanceNotice.TextOf(values),
            values.Of(RuntimeSettingTable.ReadOnly), call.IsAdmin && health.Checks.Any(c => c.Reading.Status == HealthStatus.Failing), isAnonymousSignIn);
        return "<!DOCTYPE html>\n" + await DrawAsync(typeof(Frame), new() { ["Call"] = call, ["Facts"] = frame }).ConfigureAwait(false);
    }

    private async Task<string> DrawAsync(Type component, Dictionary<string, object?> parameters)
    {
        var renderer = new HtmlRenderer(services, loggers);
        await using (renderer.ConfigureAwait(false))
        {
            return await renderer.Dispatcher.InvokeAsync(async () =>
            {
                var root = await renderer.RenderComponentAsync(component, ParameterView.FromDictionary(parameters)).ConfigureAwait(true);
                var writer = new StringWriter();
                root.WriteHtmlTo(writer);
                return writer.ToString();
            }).ConfigureAwait(false);
        }
    }
}

/// <summary>What the frame shows around a page.</summary>
/// <param name="Body">The page, drawn.</param>
/// <param name="StylePath">The style sheet.</param>
/// <param name="ScriptPath">The script.</param>
/// <param name="IconPath">The icon.</param>
/// <param name="Banner">What administrators tell everybody; empty for nothing.</param>
/// <param name="IsReadOnly">Whether nothing can be changed for now.</param>
/// <param name="IsUnwell">Whether something is wrong and the reader can look after it.</param>
/// <param name="IsSignIn">Whether it is the sign-in page.</param>
public sealed record FrameFacts(string Body, string StylePath, string ScriptPath, string IconPath, string Banner, bool IsReadOnly, bool IsUnwell, bool IsSignIn);
