using Berth.Scanner.Inventory;

namespace Berth.Scanner.Exceptions;

/// <summary>What exceptions are held against: an image and when.</summary>
/// <param name="Now">Time against which they expire.</param>
public sealed record ExceptionSubject(DateTimeOffset Now)
{
    public Distribution? Distribution { get; init; }

    /// <summary>Names of the image that VEX documents may use: digests, references, package URLs (<c>pkg:oci/…</c>).</summary>
    public IReadOnlyList<string> ProductIds { get; init; } = [];
}
