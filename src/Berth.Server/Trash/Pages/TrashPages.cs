using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Ui;

namespace Berth.Server.Trash.Pages;

/// <summary>The page of a project's trash.</summary>
internal static class TrashPages
{
    /// <summary>Each with what a reader needs, its forms and its tab.</summary>
    public static readonly UiPage[] All =
    [
        new("/projects/{project_name}/trash", ApiNeed.Project(ProjectPermissions.RepositoryPush), typeof(TrashPage))
        {
            Tab = new UiTab(UiTabGroup.Project, 75, l => new TrashWords(l).Title),
            Actions =
            [
                new("restore", TrashForms.RestoreAsync), new("undo", TrashForms.UndoAsync), new("purge", TrashForms.PurgeAsync), new("empty", TrashForms.EmptyAsync),
                new("window", TrashForms.SetWindowAsync),
            ],
        },
    ];
}
