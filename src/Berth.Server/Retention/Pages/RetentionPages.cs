using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Ui;

namespace Berth.Server.Retention.Pages;

/// <summary>The page of retention: a project's, and the registry's for projects that have no policy.</summary>
internal static class RetentionPages
{
    private static readonly UiAction[] s_actions = [new("draft", RetentionForms.EditAsync), new("run", RetentionForms.RunAsync), new("stop", RetentionForms.StopAsync), new("delete", RetentionForms.DeleteAsync)];

    /// <summary>Each with what a reader needs, its forms and its tab.</summary>
    public static readonly UiPage[] All =
    [
        new("/projects/{project_name}/retention", ApiNeed.Project(ProjectPermissions.TagRetentionRead), typeof(RetentionPage))
        {
            Tab = new UiTab(UiTabGroup.Project, 55, l => new RetentionWords(l).Title),
            Actions = s_actions,
        },
        new("/administration/retention", ApiNeed.Admin, typeof(RetentionPage))
        {
            Tab = new UiTab(UiTabGroup.Administration, 29, l => new RetentionWords(l).Title),
            Actions = s_actions,
        },
    ];
}
