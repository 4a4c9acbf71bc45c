using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Ui;

namespace Berth.Server.Audit.Pages;

/// <summary>The pages of the audit log.</summary>
internal static class AuditPages
{
    /// <summary>Each with what a reader needs, its forms and its tab.</summary>
    public static readonly UiPage[] All =
    [
        new("/projects/{project_name}/audit", ApiNeed.Project(ProjectPermissions.LogList), typeof(ProjectAuditPage))
        {
            Tab = new UiTab(UiTabGroup.Project, 70, l => new AuditPageWords(l).Title),
        },
        new("/administration/audit", ApiNeed.System(SystemPermissions.AuditLogList), typeof(AuditPage))
        {
            Tab = new UiTab(UiTabGroup.Administration, 60, l => new AuditPageWords(l).Title),
        },
    ];
}
