using System.Text.Json.Nodes;
using Berth.Server.Ui;

namespace Berth.Server.Administration.Pages;

/// <summary>What the forms of jobs do.</summary>
internal static class JobForms
{
    /// <summary>Holds a queue.</summary>
    public static Task<UiOutcome> PauseAsync(UiCall call, CancellationToken ct) => ActAsync(call, "pause");

    /// <summary>Lets a queue go on.</summary>
    public static Task<UiOutcome> ResumeAsync(UiCall call, CancellationToken ct) => ActAsync(call, "resume");

    private static Task<UiOutcome> ActAsync(UiCall call, string action) =>
        call.ChangeAsync("actionPendingJobs", "/administration/jobs", call.Words.Saved, [("job_type", call.Field("type"))], new JsonObject { ["action"] = action });
}
