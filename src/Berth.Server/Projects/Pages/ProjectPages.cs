using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Ui;

namespace Berth.Server.Projects.Pages;

/// <summary>The pages of projects.</summary>
internal static class ProjectPages
{
    /// <summary>Each with what a reader needs, its forms and its tab.</summary>
    public static readonly UiPage[] All =
    [
        new("/projects", ApiNeed.Anybody, typeof(ProjectsPage))
        {
            Actions = [new("create", ProjectForms.CreateAsync)],
        },
        new("/projects/{project_name}/settings", ApiNeed.Project(ProjectPermissions.QuotaRead), typeof(SettingsPage))
        {
            Tab = new UiTab(UiTabGroup.Project, 80, l => new ProjectWords(l).Settings),
            Actions = [new("save", ProjectForms.SaveAsync), new("quota", ProjectForms.SetQuotaAsync), new("rename", ProjectForms.RenameAsync), new("delete", ProjectForms.DeleteAsync), new("naming", NamingForm.SaveAsync),
                new("expiry", ProjectForms.SetExpiryAsync)],
        },
    ];
}
