using Berth.Scanner.Versions.Semantic;

namespace Berth.Scanner.Versions.Go;

/// <summary>
/// Go modules: Semantic Versioning with or without the leading <c>v</c>; pseudo-versions are prereleases and <c>+incompatible</c> does not count.
/// Versions of the tool chain (<c>go1.22rc1</c>) are understood too.
/// </summary>
public sealed class GoVersionOrder : VersionOrder
{
    private static readonly SemanticVersionOrder Semantic = new();

    public override bool IsValid(ReadOnlySpan<char> version) => Semantic.IsValid(Bare(version));

    public override bool? Satisfies(string version, string range) => GenericRange.Contains(this, version, range);

    protected override int CompareValid(ReadOnlySpan<char> left, ReadOnlySpan<char> right) => Semantic.Compare(Bare(left), Bare(right));

    private static ReadOnlySpan<char> Bare(ReadOnlySpan<char> version) =>
        version.StartsWith("go", StringComparison.Ordinal) ? version[2..] : version;
}
