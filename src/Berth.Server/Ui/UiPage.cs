using Berth.Server.Api;
using Microsoft.AspNetCore.Components;

namespace Berth.Server.Ui;

/// <summary>
/// One page of the web pages: where it is, who may see it, what draws it, and which forms of it are taken. The features list theirs; routes, tabs, menus and
/// the approved list are made from the lists.
/// </summary>
/// <param name="Route">Its path. A project of it is <c>{project_name}</c>.</param>
/// <param name="Need">What a reader needs; checked by the door of the API, so that it is the same rule.</param>
/// <param name="Component">The component, with a parameter <c>Call</c>: see <see cref="PageComponent"/>.</param>
public sealed record UiPage(string Route, ApiNeed Need, Type Component)
{
    /// <summary>The forms that it posts, to its own path.</summary>
    public IReadOnlyList<UiAction> Actions { get; init; } = [];

    /// <summary>Its place among pages that belong together; null for a page of its own.</summary>
    public UiTab? Tab { get; init; }

    /// <summary>Whether somebody who must choose a new password first may see it.</summary>
    public bool IsOpenBeforePasswordChange { get; init; }
}

/// <summary>The pages of one feature.</summary>
public sealed record UiPages(IReadOnlyList<UiPage> All);

/// <summary>Pages that belong together and show each other as tabs.</summary>
public enum UiTabGroup
{
    /// <summary>What there is of one project.</summary>
    Project,

    /// <summary>The reader's own account.</summary>
    Account,

    /// <summary>The installation.</summary>
    Administration,
}

/// <summary>A page's tab.</summary>
/// <param name="Group">Beside which others.</param>
/// <param name="Order">Where among them.</param>
/// <param name="Title">What it says.</param>
public sealed record UiTab(UiTabGroup Group, int Order, Func<Language, string> Title);

/// <summary>A form of a page. What it does it asks of operations of the API, which check who may.</summary>
/// <param name="Name">Value of the form's field <c>do</c>.</param>
/// <param name="Run">Does it.</param>
public sealed record UiAction(string Name, Func<UiCall, CancellationToken, Task<UiOutcome>> Run);

/// <summary>What a form came to.</summary>
public sealed class UiOutcome
{
    private UiOutcome()
    {
    }

    /// <summary>Where the browser goes next; null to stay and see the page again.</summary>
    public string? Path { get; private init; }

    /// <summary>Whether what is there may lead to another site.</summary>
    public bool IsLeaving { get; private init; }

    /// <summary>What to tell there, shortly.</summary>
    public string? Toast { get; private init; }

    /// <summary>How to take it back; null when that cannot be done.</summary>
    public UiUndo? Undo { get; private init; }

    /// <summary>What was wrong.</summary>
    public string? Problem { get; private init; }

    /// <summary>Status of the answer when the browser stays.</summary>
    public int Status { get; private init; } = 200;

    /// <summary>Something that is shown once and kept nowhere: a new secret.</summary>
    public object? Secret { get; private init; }

    /// <summary>It is done: go there.</summary>
    public static UiOutcome Go(string path, string? toast = null, UiUndo? undo = null) => new() { Path = path, Toast = toast, Undo = undo };

    /// <summary>
    /// It is done: go there, where the browser may be sent to another site. A redirect would count as a part of the form, which may only be sent here (<c>form-action</c>, CSP 3): an empty page leads on instead.
    /// </summary>
    public static UiOutcome Leave(string path) => new() { Path = path, IsLeaving = true };

    /// <summary>It was refused: the page again, with what was wrong.</summary>
    public static UiOutcome Refuse(string problem, int status = 422) => new() { Problem = problem, Status = status };

    /// <summary>It is done: the page again, with what is shown once.</summary>
    public static UiOutcome Show(object secret) => new() { Secret = secret };

    /// <summary>It was refused: the page again, with what was wrong and what had been filled in.</summary>
    public static UiOutcome Refuse(string problem, object secret) => new() { Problem = problem, Status = 422, Secret = secret };
}

/// <summary>The form that takes back what has just been done. It is sent by the message that tells of it.</summary>
/// <param name="Path">The page that takes the form.</param>
/// <param name="Action">Its action.</param>
/// <param name="Value">What the action needs, as the field <c>undo</c>; it names things, and proves no right to them.</param>
public sealed record UiUndo(string Path, string Action, string Value);

/// <summary>A component that draws a page.</summary>
public abstract class PageComponent : ComponentBase
{
    /// <summary>Whom it is drawn for, and what it may ask.</summary>
    [Parameter]
    public required UiCall Call { get; set; }

    /// <summary>Words that are on many pages.</summary>
    protected Words W => Call.Words;
}
