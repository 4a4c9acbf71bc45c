using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Ui;

namespace Berth.Server.Webhooks.Pages;

/// <summary>The pages of webhooks.</summary>
internal static class WebhookPages
{
    /// <summary>Each with what a reader needs, its forms and its tab.</summary>
    public static readonly UiPage[] All =
    [
        new("/projects/{project_name}/webhooks", ApiNeed.Project(ProjectPermissions.NotificationPolicyList), typeof(WebhooksPage))
        {
            Tab = new UiTab(UiTabGroup.Project, 60, l => new WebhookWords(l).Title),
            Actions = [new("create", WebhookForms.CreateAsync), new("delete", WebhookForms.DeleteAsync), new("test", WebhookForms.TestAsync), new("replay", WebhookForms.ReplayAsync)],
        },
        new("/administration/webhooks", ApiNeed.Admin, typeof(WebhooksPage))
        {
            Tab = new UiTab(UiTabGroup.Administration, 28, l => new WebhookWords(l).Title),
            Actions = [new("create", WebhookForms.CreateAsync), new("delete", WebhookForms.DeleteAsync), new("test", WebhookForms.TestAsync), new("replay", WebhookForms.ReplayAsync)],
        },
    ];
}
