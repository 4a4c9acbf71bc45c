using System.Diagnostics;

namespace Berth;

/// <summary>One line on a terminal that says how far something is, written again a few times a second; nothing where there is no terminal. May be told from many threads.</summary>
/// <param name="output">The terminal; null for none.</param>
internal sealed class ProgressLine(TextWriter? output) : IDisposable
{
    private const int MaxWidth = 100;
    private const long Unit = 1_000_000;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly Lock gate = new();
    private long shownAt;
    private int width;

    /// <summary>Shows a text, unless one was shown a moment ago.</summary>
    public void Show(Func<string> text)
    {
        if (output is null) return;
        lock (gate)
        {
            if (width > 0 && Stopwatch.GetElapsedTime(shownAt) < Pause) return;
            var line = text();
            if (line.Length > MaxWidth) line = line[..MaxWidth];
            output.Write($"\r{line.PadRight(width)}");
            output.Flush();
            (width, shownAt) = (line.Length, Stopwatch.GetTimestamp());
        }
    }

    /// <summary>Takes the line away, so that something else can be written.</summary>
    public void Clear()
    {
        if (output is null) return;
        lock (gate)
        {
            if (width > 0) output.Write($"\r{new string(' ', width)}\r");
            width = 0;
        }
    }

    /// <summary>Bytes as people read them, in MB.</summary>
    public static string Size(long bytes) => $"{bytes / (double)Unit:0.0} MB";

    public void Dispose() => Clear();
}
