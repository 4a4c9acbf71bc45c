using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Ui;

namespace Berth.Server.Administration.Pages;

/// <summary>The pages of the installation, and search.</summary>
internal static class AdministrationPages
{
    /// <summary>Each with what a reader needs, its forms and its tab.</summary>
    public static readonly UiPage[] All =
    [
        new("/administration", ApiNeed.Admin, typeof(OverviewPage))
        {
            Tab = new UiTab(UiTabGroup.Administration, 10, l => new AdministrationWords(l).Overview),
        },
        new("/administration/storage", ApiNeed.Admin, typeof(StoragePage))
        {
            Tab = new UiTab(UiTabGroup.Administration, 12, l => new StorageWords(l).Storage),
        },
        new("/administration/configuration", ApiNeed.Admin, typeof(ConfigurationPage))
        {
            Tab = new UiTab(UiTabGroup.Administration, 30, l => new AdministrationWords(l).Configuration),
            Actions = [new("save", ConfigurationForms.SaveAsync)],
        },
        new("/administration/jobs", ApiNeed.System(SystemPermissions.JobserviceMonitorList), typeof(JobsPage))
        {
            Tab = new UiTab(UiTabGroup.Administration, 50, l => new AdministrationWords(l).Jobs),
            Actions = [new("pause", JobForms.PauseAsync), new("resume", JobForms.ResumeAsync)],
        },
        new("/administration/health", ApiNeed.Admin, typeof(HealthPage))
        {
            Tab = new UiTab(UiTabGroup.Administration, 70, l => new AdministrationWords(l).Health),
        },
        new("/search", ApiNeed.Anybody, typeof(SearchPage)),
    ];
}
