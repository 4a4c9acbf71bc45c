namespace Berth.Server.Platform.Options;

/// <summary>Something that stops the start: which setting, where it was written, and what to do.</summary>
public sealed record ConfigProblem(string Key, ConfigOrigin Origin, string Message)
{
    /// <summary>One line: origin, key, message; the parts that say nothing are left out.</summary>
    public override string ToString()
    {
        var place = Origin.Source == ConfigSource.Default ? "" : $"{Origin}: ";
        return Key.Length == 0 ? place + Message : $"{place}{Key}: {Message}";
    }
}

/// <summary>Collects problems so that all of them are reported at once.</summary>
public sealed class ConfigProblems
{
    private readonly List<ConfigProblem> items = [];

    public IReadOnlyList<ConfigProblem> Items => items;

    public void Add(string key, ConfigOrigin origin, string message) => items.Add(new(key, origin, message));
}
