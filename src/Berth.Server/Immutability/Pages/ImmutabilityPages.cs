using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Ui;

namespace Berth.Server.Immutability.Pages;

/// <summary>The page of immutability rules.</summary>
internal static class ImmutabilityPages
{
    /// <summary>Each with what a reader needs, its forms and its tab.</summary>
    public static readonly UiPage[] All =
    [
        new("/projects/{project_name}/immutability", ApiNeed.Project(ProjectPermissions.ImmutableTagList), typeof(ImmutabilityPage))
        {
            Tab = new UiTab(UiTabGroup.Project, 50, l => new ImmutabilityWords(l).Title),
            Actions = [new("create", ImmutabilityForms.CreateAsync), new("turn", ImmutabilityForms.TurnAsync), new("delete", ImmutabilityForms.DeleteAsync)],
        },
    ];
}
