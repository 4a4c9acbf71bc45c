using Berth.Server.Api;

namespace Berth.Server.Ui;

/// <summary>Which pages stand beside a page as tabs: those of its group that the reader may see.</summary>
internal sealed class UiMenus(Func<IEnumerable<UiPage>> pages)
{
    private readonly Lazy<ILookup<UiTabGroup, UiPage>> _groups = new(() =>
        pages().Where(p => p.Tab is not null).OrderBy(p => p.Tab!.Order).ToLookup(p => p.Tab!.Group));

    /// <summary>Sets the tabs of a page.</summary>
    public async Task SetTabsAsync(UiCall call, UiPage page, Func<UiPage, Task<ApiResult>> ask)
    {
        if (page.Tab is not { } tab) return;
        var tabs = new List<(string, string, bool)>();
        foreach (var other in _groups.Value[tab.Group])
        {
            if ((await ask(other).ConfigureAwait(false)).Failure is not null) continue;
            var path = call.Project is { } project ? other.Route.Replace("{project_name}", Uri.EscapeDataString(project.Name), StringComparison.Ordinal) : other.Route;
            tabs.Add((other.Tab!.Title(call.Language), call.Link(path), ReferenceEquals(other, page)));
        }
        call.Tabs = tabs;
    }
}
