using System.Text;
using Berth.Scanner.Inventory;
using Berth.Scanner.Inventory.Analyzers.Sboms;
using Berth.Scanner.Tests.Cases;

namespace Berth.Scanner.Tests.Inventory;

public sealed class SbomPackagesTests
{
    [Fact]
    public void A_cyclonedx_document_gives_its_packages_with_their_source_and_the_distribution()
    {
        var (_, content) = ScannerCase.Of("sbom-cyclonedx-centos7").Files().Single();
        Assert.Equal(new Distribution("centos", "7.6.1810"), SbomPackages.ReadDistribution(content));
        var packages = SbomPackages.Read(content);
        var openssl = Assert.Single(packages, package => package.Name == "openssl-libs");
        Assert.Equal((PackageType.Rpm, "1.0.2k", "16.el7", 1, "openssl"), (openssl.Type, openssl.Version, openssl.Release, openssl.Epoch, openssl.SourceName));
    }

    [Fact]
    public void An_spdx_document_gives_its_packages()
    {
        var package = Assert.Single(SbomPackages.Read(Encoding.UTF8.GetBytes(
            """
            {"spdxVersion":"SPDX-2.3","packages":[
              {"name":"none","SPDXID":"SPDXRef-a"},
              {"name":"redis","SPDXID":"SPDXRef-b","versionInfo":"7.0.5","licenseDeclared":"BSD-3-Clause",
               "externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:bitnami/redis@7.0.5?arch=amd64"}]}]}
            """)));
        Assert.Equal((PackageType.Bitnami, "redis", "7.0.5", "amd64"), (package.Type, package.Name, package.Version, package.Architecture));
        Assert.Equal(["BSD-3-Clause"], package.Licenses);
    }

    [Fact]
    public void What_a_document_is_about_is_no_package_of_it_unless_it_lies_beside_the_program()
    {
        var text = Encoding.UTF8.GetBytes(
            """
            {"spdxVersion":"SPDX-2.3","relationships":[{"spdxElementId":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBES","relatedSpdxElement":"SPDXRef-root"}],"packages":[
              {"name":"shop","SPDXID":"SPDXRef-root","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:npm/shop@1.0.0"}]},
              {"name":"image","SPDXID":"SPDXRef-image","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:oci/shop@sha256%3A00"}]},
              {"name":"left-pad","SPDXID":"SPDXRef-a","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:npm/left-pad@1.3.0"}]}]}
            """);
        Assert.Equal(["left-pad"], SbomPackages.Read(text).Select(package => package.Name));
        Assert.Equal(["shop", "left-pad"], SbomPackages.Read(text, withRoot: true).Select(package => package.Name));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"spdxVersion\":\"2\"}")]
    public void Other_documents_are_refused(string text) => Assert.Throws<InvalidDataException>(() => SbomPackages.Read(Encoding.UTF8.GetBytes(text)));
}
