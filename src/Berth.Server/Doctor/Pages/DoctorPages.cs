using Berth.Server.Api;
using Berth.Server.Ui;

namespace Berth.Server.Doctor.Pages;

/// <summary>The page of the checklist.</summary>
internal static class DoctorPages
{
    /// <summary>Each with what a reader needs, its forms and its tab.</summary>
    public static readonly UiPage[] All =
    [
        new("/administration/checklist", ApiNeed.Admin, typeof(DoctorPage))
        {
            Tab = new UiTab(UiTabGroup.Administration, 80, l => new DoctorWords(l).Title),
        },
    ];
}
