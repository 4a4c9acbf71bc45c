using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Ui;

namespace Berth.Server.Artifacts.Pages;

/// <summary>The pages of repositories and artifacts.</summary>
internal static class ArtifactPages
{
    /// <summary>Each with what a reader needs, its forms and its tab.</summary>
    public static readonly UiPage[] All =
    [
        new("/projects/{project_name}", ApiNeed.Project(ProjectPermissions.RepositoryList), typeof(RepositoriesPage))
        {
            Tab = new UiTab(UiTabGroup.Project, 10, l => new ArtifactWords(l).Repositories),
        },
        new("/projects/{project_name}/repositories/{**repository}", ApiNeed.Project(ProjectPermissions.ArtifactList), typeof(RepositoryPage))
        {
            Actions = [new("compare", ArtifactForms.CompareAsync), new("delete-many", ArtifactForms.DeleteManyAsync), new("delete-repository", ArtifactForms.DeleteRepositoryAsync), new("describe", ArtifactForms.DescribeAsync), new("roll-back", ArtifactForms.RollBackAsync),
                new("promote", PromotionForms.PromoteAsync)],
        },
        new("/projects/{project_name}/layers/{digest}/{**repository}", ApiNeed.Project(ProjectPermissions.ArtifactList), typeof(LayerPage)),
        new("/projects/{project_name}/compare/{**repository}", ApiNeed.Project(ProjectPermissions.ArtifactRead), typeof(ComparePage)),
        new("/projects/{project_name}/artifacts/{reference}/{**repository}", ApiNeed.Project(ProjectPermissions.ArtifactRead), typeof(ArtifactPage))
        {
            Actions = [new("delete", ArtifactForms.DeleteAsync), new("add-tag", ArtifactForms.AddTagAsync), new("remove-tag", ArtifactForms.RemoveTagAsync), new("add-label", ArtifactForms.AddLabelAsync), new("remove-label", ArtifactForms.RemoveLabelAsync),
                new("expire", LifecycleForms.ExpireAsync), new("archive", LifecycleForms.ArchiveAsync), new("unarchive", LifecycleForms.UnarchiveAsync), new("stage", LifecycleForms.StageAsync), new("promote", PromotionForms.PromoteAsync)],
        },
    ];
}
