namespace Berth.Scanner.Inventory;

/// <summary>The distribution of a root file system.</summary>
/// <param name="Family">Name in the words of Trivy: <c>alpine</c>, <c>debian</c>, <c>ubuntu</c>, <c>redhat</c>, <c>centos</c>, <c>rocky</c>, <c>alma</c>, <c>amazon</c>, <c>oracle</c>, <c>fedora</c>, <c>sles</c>, <c>slem</c>, <c>opensuse-leap</c>, <c>opensuse-tumbleweed</c>, <c>centos-stream</c>, <c>photon</c>, <c>cbl-mariner</c>, <c>azurelinux</c>, <c>wolfi</c>, <c>chainguard</c>, <c>openeuler</c> …</param>
/// <param name="Version">Version in full, such as <c>12.5</c>, <c>3.19.1</c>; empty for those that roll.</param>
public sealed record Distribution(string Family, string Version)
{
    /// <summary>Whether the system is subscribed to updates past the end of support (Ubuntu's expanded security maintenance).</summary>
    public bool IsExtended { get; init; }
}
