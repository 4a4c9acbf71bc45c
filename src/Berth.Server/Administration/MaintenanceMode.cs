using System.Data.Common;
using System.Globalization;
using Berth.Server.Api;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Settings;
using Berth.Server.Registry;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Administration;

/// <summary>
/// The first thing that a request meets while the installation is under maintenance (setting <c>maintenance_mode</c>): everything but health, metrics and
/// the management API and the pages is answered with 503, <c>Retry-After</c> and the banner. The API asks who calls and goes on for administrators
/// (<see cref="ApiEndpoint"/>), so that they may look, work and end it. Every replica follows at its next request.
/// </summary>
internal sealed class MaintenanceMode(RequestDelegate next, RuntimeSettings settings, string metricsPath)
{
    public Task InvokeAsync(HttpContext context)
    {
        // Nearly every request: the settings are known, and there is no maintenance. It costs a field.
        var reading = settings.ReadAsync(context.RequestAborted);
        if (!reading.IsCompletedSuccessfully) return AwaitedAsync(reading, context);
        var values = reading.GetAwaiter().GetResult();
        return values.Of(RuntimeSettingTable.MaintenanceMode) && !IsOpen(context) ? RefuseAsync(context, values) : next(context);
    }

    private async Task AwaitedAsync(ValueTask<SettingValues> reading, HttpContext context)
    {
        SettingValues? values = null;
        try
        {
            values = await reading.ConfigureAwait(false);
        }
        catch (Exception e) when (e is DbException or TimeoutException)
        {
            // Without a database nobody can say; what comes next answers for that.
        }
        if (values?.Of(RuntimeSettingTable.MaintenanceMode) == true && !IsOpen(context)) await RefuseAsync(context, values).ConfigureAwait(false);
        else await next(context).ConfigureAwait(false);
    }

    private static Task RefuseAsync(HttpContext context, SettingValues values)
    {
        context.Response.Headers.RetryAfter = MaintenanceNotice.RetryAfter.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        RequestFacts.Of(context).Route = "maintenance";
        return OciErrors.WriteAsync(context, OciError.Unavailable with { Message = MaintenanceNotice.TextOf(values) });
    }

    private bool IsOpen(HttpContext context)
    {
        var path = context.Request.Path;
        return path.StartsWithSegments("/health", StringComparison.Ordinal) || path.StartsWithSegments("/debug", StringComparison.Ordinal) || path.Value == metricsPath
            || path.StartsWithSegments("/api", StringComparison.Ordinal) || path.StartsWithSegments("/c", StringComparison.Ordinal)
            || Ui.Ui.Owns(path);
    }
}
