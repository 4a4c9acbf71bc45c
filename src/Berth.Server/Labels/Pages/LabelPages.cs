using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Ui;

namespace Berth.Server.Labels.Pages;

/// <summary>The page of labels.</summary>
internal static class LabelPages
{
    /// <summary>Each with what a reader needs, its forms and its tab.</summary>
    public static readonly UiPage[] All =
    [
        new("/projects/{project_name}/labels", ApiNeed.Project(ProjectPermissions.LabelList), typeof(LabelsPage))
        {
            Tab = new UiTab(UiTabGroup.Project, 40, l => new LabelWords(l).Labels),
            Actions = [new("create", LabelForms.CreateAsync), new("delete", LabelForms.DeleteAsync)],
        },
    ];
}
