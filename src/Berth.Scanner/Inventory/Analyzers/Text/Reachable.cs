namespace Berth.Scanner.Inventory.Analyzers.Text;

/// <summary>Walks over what needs what.</summary>
internal static class Reachable
{
    /// <summary>Everything that some names need, and what that needs in turn; the names themselves included. Circles end.</summary>
    public static HashSet<string> From(IEnumerable<string> start, Func<string, IEnumerable<string>> next)
    {
        var reached = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>(start);
        while (open.TryPop(out var one))
        {
            if (!reached.Add(one)) continue;
            foreach (var more in next(one)) open.Push(more);
        }
        return reached;
    }
}
