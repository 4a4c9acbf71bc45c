namespace Berth.Server.Ui;

/// <summary>Our own icons: paths of a 16 by 16 drawing, stroked with 1.5.</summary>
internal static class IconPaths
{
    /// <summary>The path of an icon.</summary>
    public static string PathOf(string name) => name switch
    {
        "search" => "M7 12a5 5 0 1 0 0-10 5 5 0 0 0 0 10zM10.6 10.6 14 14",
        "copy" => "M6 5.5h7.5V14H6zM3.5 11H2.5V2.5H10v1",
        "plus" => "M8 3v10M3 8h10",
        "close" => "M4 4l8 8M12 4l-8 8",
        "down" => "M4 6l4 4 4-4",
        "up" => "M4 10l4-4 4 4",
        "right" => "M6 3.5 10.5 8 6 12.5",
        "left" => "M10 3.5 5.5 8l4.5 4.5",
        "box" => "M8 1.8 14 5v6L8 14.2 2 11V5zM2 5l6 3.2L14 5M8 8.2v6",
        "layers" => "M8 2 14.5 5.3 8 8.6 1.5 5.3zM2 8.3l6 3 6-3M2 11.2l6 3 6-3",
        "tag" => "M2 2h6l6 6-6 6-6-6zM5 5h.01",
        "lock" => "M3.5 7.5h9V14h-9zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5",
        "globe" => "M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM1.5 8h13M8 1.5c4 4 4 9 0 13M8 1.5c-4 4-4 9 0 13",
        "user" => "M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2.5 14.5c.5-6 10.5-6 11 0",
        "robot" => "M3 6h10v7.5H3zM8 6V3M8 2.2h.01M6 9h.01M10 9h.01M6 11.5h4",
        "trash" => "M2.5 4h11M6 4V2.5h4V4M4 4l.7 10h6.6L12 4M6.7 6.8v4.5M9.3 6.8v4.5",
        "check" => "M3 8.5 6.5 12 13 4.5",
        "warning" => "M8 2 15 14H1zM8 6.5v3.5M8 12h.01",
        "info" => "M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM8 7.5V11M8 5h.01",
        "gear" => "M8 10.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM8 1.5v2M8 12.5v2M1.5 8h2M12.5 8h2M3.4 3.4l1.4 1.4M11.2 11.2l1.4 1.4M3.4 12.6l1.4-1.4M11.2 4.8l1.4-1.4",
        "clock" => "M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM8 4.5V8l2.5 1.5",
        "arrow" => "M2.5 8h11M9.5 4l4 4-4 4",
        "exit" => "M9.5 2.5h-7v11h7M6.5 8h8M11.5 5l3 3-3 3",
        "terminal" => "M1.5 2.5h13v11h-13zM4 6l2.5 2L4 10M8 10.5h4",
        "replay" => "M3 8a5 5 0 1 0 1.6-3.7M3 2.5v3h3",
        "pause" => "M5.5 3.5v9M10.5 3.5v9",
        "pencil" => "M3 13l.7-3L11 2.7 13.3 5 6 12.3zM9.5 4.2l2.3 2.3",
        "compare" => "M6.5 2.5h-4v11h4M9.5 2.5h4v11h-4M8 1v14",
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "no such icon"),
    };
}
