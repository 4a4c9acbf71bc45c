namespace Berth.Server.Ui;

/// <summary>
/// What a page tells the next one: a short word, and how to take back what was done. It travels in a cookie, so that it also works without scripts. Nothing in it is
/// trusted: the undo is a form, which needs the session's proof and the same permissions as any other.
/// </summary>
internal static class UiToast
{
    /// <summary>Longest cookie that is read, in characters.</summary>
    public const int MaxLength = 2_500;

    /// <summary>As it is stored.</summary>
    public static string Pack(string toast, UiUndo? undo)
    {
        toast = toast.Replace('\n', ' ');
        if (undo is null) return toast;
        var whole = string.Join('\n', toast, undo.Path, undo.Action, undo.Value);
        // A cookie has room for so much: what does not fit is undone in the trash.
        return whole.Length < MaxLength ? whole : toast;
    }

    /// <summary>As it was stored.</summary>
    public static (string Toast, UiUndo? Undo) Unpack(string text) => text.Split('\n') switch
    {
        [var toast, var path, var action, var value] when LocalPath.Of(path, "").Length > 0 => (toast, new UiUndo(path, action, value)),
        var parts => (parts[0], null),
    };
}
