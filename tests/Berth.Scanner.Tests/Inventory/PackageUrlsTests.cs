using Berth.Scanner.Inventory;

namespace Berth.Scanner.Tests.Inventory;

public sealed class PackageUrlsTests
{
    private static readonly Distribution Debian = new("debian", "12.5");

    public static TheoryData<string, Package, Distribution?> Packages => new()
    {
        { "pkg:deb/debian/libssl3@3.0.15-1~deb12u1?arch=amd64&distro=debian-12.5", new Package(PackageType.Dpkg, "libssl3", "3.0.15-1~deb12u1") { Architecture = "amd64" }, Debian },
        { "pkg:deb/debian/login@4.13%2Bdfsg1-1?distro=debian-12.5&epoch=1", new Package(PackageType.Dpkg, "login", "4.13+dfsg1-1") { Epoch = 1 }, Debian },
        { "pkg:apk/alpine/musl@1.2.4-r2?arch=x86_64&distro=3.19.1", new Package(PackageType.Apk, "musl", "1.2.4-r2") { Architecture = "x86_64" }, new Distribution("alpine", "3.19.1") },
        {
            "pkg:rpm/redhat/openssl-libs@1.1.1k-4.el8?arch=x86_64&distro=redhat-8.5&epoch=1",
            new Package(PackageType.Rpm, "openssl-libs", "1.1.1k") { Release = "4.el8", Epoch = 1, Architecture = "x86_64" }, new Distribution("redhat", "8.5")
        },
        { "pkg:npm/%40babel/core@7.1.0", new Package(PackageType.Npm, "@babel/core", "7.1.0"), null },
        { "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1", new Package(PackageType.Maven, "org.apache.logging.log4j:log4j-core", "2.14.1"), null },
        { "pkg:golang/golang.org/x/net@0.7.0", new Package(PackageType.Go, "golang.org/x/net", "0.7.0"), null },
        { "pkg:golang/stdlib@1.19.8", new Package(PackageType.Go, "stdlib", "1.19.8"), null },
        { "pkg:composer/guzzlehttp/guzzle@7.4.4", new Package(PackageType.Composer, "guzzlehttp/guzzle", "7.4.4"), null },
        { "pkg:swift/github.com/apple/swift-nio@2.41.0", new Package(PackageType.Swift, "github.com/apple/swift-nio", "2.41.0"), null },
        { "pkg:cocoapods/AppCenter@4.2.0#Analytics", new Package(PackageType.CocoaPods, "AppCenter/Analytics", "4.2.0"), null },
        { "pkg:nuget/Newtonsoft.Json@12.0.3", new Package(PackageType.NuGet, "Newtonsoft.Json", "12.0.3"), null },
        { "pkg:k8s/k8s.io%2Fkubelet@1.27.0", new Package(PackageType.Kubernetes, "k8s.io/kubelet", "1.27.0"), null },
        { "pkg:gem/rails@5.0.0.beta1", new Package(PackageType.RubyGems, "rails", "5.0.0.beta1"), null },
    };

    [Theory]
    [MemberData(nameof(Packages))]
    public void A_package_and_its_url_lead_to_each_other(string url, Package package, Distribution? distribution)
    {
        Assert.Equal(url, PackageUrls.Of(package, distribution));
        var back = PackageUrls.ToPackage(PackageUrls.Parse(url)!);
        Assert.Equal((package.Type, package.Name, package.Version, package.Release, package.Epoch, package.Architecture), (back.Type, back.Name, back.Version, back.Release, back.Epoch, back.Architecture));
    }

    [Theory]
    [InlineData("pkg:npm/@scope/name@1.0.0", "@scope/name", "1.0.0")]
    [InlineData("pkg:NPM/foobar@12.3.1", "foobar", "12.3.1")]
    [InlineData("pkg:golang/google.golang.org/genproto#googleapis/api/annotations", "google.golang.org/genproto", "")]
    [InlineData("pkg:golang/github.com/a/b@v1.2.3", "github.com/a/b", "1.2.3")]
    [InlineData("pkg:rpm/fedora/curl@7.50.3-1.fc25?arch=i386&upstream=curl-7.50.3-1.fc25.src.rpm", "curl", "7.50.3")]
    public void Spellings_of_others_are_read(string url, string name, string version)
    {
        var package = PackageUrls.ToPackage(PackageUrls.Parse(url)!);
        Assert.Equal((name, version), (package.Name, package.Version));
    }

    [Theory]
    [InlineData("pkg:deb/debian/zlib1g@1.2.13-1%2Bb1?upstream=zlib%401.2.13-1", "zlib", "1.2.13-1")]
    [InlineData("pkg:deb/debian/zlib1g@1.2.13-1?upstream=zlib%401.2.13-1", "zlib", "")]
    [InlineData("pkg:deb/debian/zlib1g@1.2.13-1?upstream=zlib", "zlib", "")]
    [InlineData("pkg:rpm/rhel/openssl-libs@3.0.7-2.el9?epoch=1&upstream=openssl-3.0.7-1.el9.src.rpm", "openssl", "1:3.0.7-1.el9")]
    [InlineData("pkg:apk/alpine/libssl3@3.1.0-r1", "libssl3", "")]
    public void The_source_package_stands_in_a_qualifier(string url, string source, string sourceVersion)
    {
        var package = PackageUrls.ToPackage(PackageUrls.Parse(url)!);
        Assert.Equal((source, sourceVersion), (package.SourceName, package.SourceVersion));
    }

    [Theory]
    [InlineData("")]
    [InlineData("npm/foo@1")]
    [InlineData("pkg:")]
    [InlineData("pkg:npm")]
    [InlineData("pkg:npm/")]
    [InlineData("pkg:a b/c@1")]
    public void What_is_no_package_url_is_refused(string url) => Assert.Null(PackageUrls.Parse(url));
}
