using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Ui;

namespace Berth.Server.GarbageCollection.Pages;

/// <summary>The page of garbage collection.</summary>
internal static class GarbagePages
{
    /// <summary>Each with what a reader needs, its forms and its tab.</summary>
    public static readonly UiPage[] All =
    [
        new("/administration/garbage", ApiNeed.System(SystemPermissions.GarbageCollectionRead), typeof(GarbagePage))
        {
            Tab = new UiTab(UiTabGroup.Administration, 40, l => new GarbageWords(l).Title),
            Actions = [new("run", GarbageForms.RunAsync), new("stop", GarbageForms.StopAsync)],
        },
    ];
}
