using Berth.Scanner.Versions.Semantic;

namespace Berth.Scanner.Versions.NuGet;

/// <summary>NuGet: Semantic Versioning with a fourth number, labels without case; metadata does not count.</summary>
public sealed class NuGetVersionOrder : SemanticVersionOrder
{
    public NuGetVersionOrder()
        : base(ignoreCase: true)
    {
    }
}
