using Berth.Server.Api;
using Berth.Server.Ui;

namespace Berth.Server.Access.Pages;

/// <summary>The pages of members, robots and tokens.</summary>
internal static class AccessPages
{
    /// <summary>Each with what a reader needs, its forms and its tab.</summary>
    public static readonly UiPage[] All =
    [
        new("/projects/{project_name}/members", ApiNeed.Project(ProjectPermissions.MemberList), typeof(MembersPage))
        {
            Tab = new UiTab(UiTabGroup.Project, 20, l => new AccessWords(l).Members),
            Actions = [new("add", MemberForms.AddAsync), new("change", MemberForms.ChangeAsync), new("remove", MemberForms.RemoveAsync)],
        },
        new("/projects/{project_name}/robots", ApiNeed.Project(ProjectPermissions.RobotList), typeof(RobotsPage))
        {
            Tab = new UiTab(UiTabGroup.Project, 30, l => new AccessWords(l).Robots),
            Actions = [new("create", RobotForms.CreateAsync), new("rotate", RobotForms.RotateAsync), new("delete", RobotForms.DeleteAsync)],
        },
        new("/projects/{project_name}/rules", ApiNeed.Project(ProjectPermissions.MemberList), typeof(RulesPage))
        {
            Tab = new UiTab(UiTabGroup.Project, 25, l => new AccessWords(l).Rules),
            Actions = [new("create", RuleForms.CreateAsync), new("delete", RuleForms.DeleteAsync)],
        },
        new("/administration/robots", ApiNeed.System(SystemPermissions.RobotList), typeof(SystemRobotsPage))
        {
            Tab = new UiTab(UiTabGroup.Administration, 22, l => new AccessWords(l).Robots),
            Actions = [new("create", RobotForms.CreateAsync), new("rotate", RobotForms.RotateAsync), new("delete", RobotForms.DeleteAsync)],
        },
        new(RoleForms.Page, ApiNeed.Admin, typeof(RolesPage))
        {
            Tab = new UiTab(UiTabGroup.Administration, 23, l => new AccessWords(l).Roles),
            Actions = [new("save", RoleForms.SaveAsync), new("delete", RoleForms.DeleteAsync)],
        },
        new("/account/tokens", ApiNeed.SignedIn, typeof(TokensPage))
        {
            Tab = new UiTab(UiTabGroup.Account, 20, l => new AccessWords(l).Tokens),
            Actions = [new("create", TokenForms.CreateAsync), new("revoke", TokenForms.RevokeAsync)],
        },
    ];
}
