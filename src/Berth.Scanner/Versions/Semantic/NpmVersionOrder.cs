namespace Berth.Scanner.Versions.Semantic;

/// <summary>npm: Semantic Versioning with the ranges of node-semver.</summary>
public sealed class NpmVersionOrder : SemanticVersionOrder
{
    public override bool? Satisfies(string version, string range) => NpmRange.Contains(version, range, includePrerelease: false);
}
