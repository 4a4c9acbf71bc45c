using Berth.Scanner.Inventory;

namespace Berth.Scanner.Tests.Inventory;

public sealed class PackageTests
{
    [Fact]
    public void Without_a_source_package_the_package_is_its_own()
    {
        Assert.Equal("zlib1g", new Package(PackageType.Dpkg, "zlib1g", "1.2.13.dfsg-1").SourceName);
        Assert.Equal("zlib", new Package(PackageType.Dpkg, "zlib1g", "1.2.13.dfsg-1") { SourceName = "zlib" }.SourceName);
    }
}
