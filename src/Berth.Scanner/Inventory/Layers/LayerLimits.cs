namespace Berth.Scanner.Inventory.Layers;

/// <summary>What one layer may cost. A layer beyond a limit of the archive is refused (<see cref="LayerRefusedException"/>); a file beyond a limit of its own is noted and passed over.</summary>
public sealed record LayerLimits
{
    /// <summary>The limits a server uses when nothing else is said.</summary>
    public static LayerLimits Default { get; } = new();

    /// <summary>Uncompressed size of a layer.</summary>
    public long MaxLayerBytes { get; init; } = 64L << 30;

    /// <summary>Entries of a layer's archive.</summary>
    public int MaxEntries { get; init; } = 5_000_000;

    /// <summary>Uncompressed bytes for each compressed one, judged once a layer has unpacked to more than <see cref="RatioFromBytes"/>.</summary>
    public int MaxRatio { get; init; } = 1_500;

    /// <summary>Unpacked bytes below which the ratio is not looked at.</summary>
    public long RatioFromBytes { get; init; } = 1L << 30;

    /// <summary>Longest path, in bytes.</summary>
    public int MaxPathBytes { get; init; } = 4096;

    /// <summary>Size of a program or archive that is looked into; larger ones are noted and passed over.</summary>
    public long MaxFileBytes { get; init; } = 1L << 30;

    /// <summary>Content above this size waits in a temporary file instead of in memory.</summary>
    public int MemoryBytes { get; init; } = 16 << 20;

    /// <summary>Packages, removed paths and links that one layer may hold together.</summary>
    public int MaxFacts { get; init; } = 1_000_000;

    /// <summary>Directory of temporary files, which have no name where the system allows it and are gone when closed.</summary>
    public string SpoolDirectory { get; init; } = System.IO.Path.GetTempPath();
}

/// <summary>A layer that cannot be read or passes a limit of <see cref="LayerLimits"/>.</summary>
public sealed class LayerRefusedException(string message, Exception? inner = null) : Exception(message, inner);
