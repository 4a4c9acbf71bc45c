using Berth.Server.Access;
using Berth.Server.Ui;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Projects.Pages;

/// <summary>Whether the reader may make projects: the operation decides; this only says it beforehand.</summary>
internal static class ProjectCreation
{
    /// <summary>Whether the button is of use.</summary>
    public static async Task<bool> MayAsync(UiCall call)
    {
        var defaults = call.Http.RequestServices.GetRequiredService<ProjectDefaults>();
        var may = await call.MayAsync(SystemPermissions.ProjectCreate).ConfigureAwait(false);
        return ProjectRules.WhyNotCreate(call.Caller, may, await defaults.CreatorsAsync(call.Http.RequestAborted).ConfigureAwait(false)) is null;
    }
}
