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

    [Fact]
    public void An_spdx_document_of_tags_and_values_gives_the_same_as_one_in_JSON()
    {
        var text = Encoding.UTF8.GetBytes(
            """
            # made by hand
            SPDXVersion: SPDX-2.3
            SPDXID: SPDXRef-DOCUMENT
            DocumentComment: <text>first
            PackageName: not this
            last</text>

            PackageName: shop
            SPDXID: SPDXRef-root
            ExternalRef: PACKAGE-MANAGER purl pkg:npm/shop@1.0.0

            PackageName: debian
            SPDXID: SPDXRef-OperatingSystem-1
            PackageVersion: 12
            PrimaryPackagePurpose: OPERATING-SYSTEM

            PackageName: libssl3
            SPDXID: SPDXRef-Package-2
            PackageVersion: 3.0.11-1
            PackageSourceInfo: <text>built package from: openssl 3.0.11-1</text>
            PackageLicenseDeclared: Apache-2.0
            ExternalRef: SECURITY cpe23Type cpe:2.3:a:openssl:openssl:3.0.11:*:*:*:*:*:*:*
            ExternalRef: PACKAGE-MANAGER purl pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12

            FileName: ./x
            SPDXID: SPDXRef-File-3
            PackageVersion: no field of a file

            Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-root
            """);
        Assert.Equal(new Distribution("debian", "12"), SbomPackages.ReadDistribution(text));
        Assert.True(SbomPackages.IsSpdx(text));
        var package = Assert.Single(SbomPackages.Read(text));
        Assert.Equal((PackageType.Dpkg, "libssl3", "3.0.11-1", "openssl", "amd64"), (package.Type, package.Name, package.Version, package.SourceName, package.Architecture));
        Assert.Equal(["Apache-2.0"], package.Licenses);
    }

    [Fact]
    public void A_document_is_taken_out_of_an_attestation_and_its_envelope()
    {
        const string Document = """{"bomFormat":"CycloneDX","components":[{"purl":"pkg:npm/left-pad@1.3.0"}]}""";
        var statement = $$"""{"_type":"https://in-toto.io/Statement/v1","predicate":{{Document}}}""";
        string Envelope(string inner) => $$"""{"payloadType":"application/vnd.in-toto+json","payload":"{{Convert.ToBase64String(Encoding.UTF8.GetBytes(inner))}}"}""" + "\n";
        var asText = """{"predicate":{"Data":TEXT}}""".Replace("TEXT", System.Text.Json.JsonSerializer.Serialize(Document), StringComparison.Ordinal);
        foreach (var text in (string[])[Document, statement, Envelope(statement), asText, Envelope(asText)])
        {
            Assert.Equal(["left-pad"], SbomPackages.Read(Encoding.UTF8.GetBytes(text)).Select(package => package.Name));
            Assert.False(SbomPackages.IsSpdx(Encoding.UTF8.GetBytes(text)));
        }
        Assert.Throws<InvalidDataException>(() => SbomPackages.Read(Encoding.UTF8.GetBytes("""{"payloadType":"application/vnd.in-toto+json","payload":"!"}""")));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"spdxVersion\":\"2\"}")]
    public void Other_documents_are_refused(string text) => Assert.Throws<InvalidDataException>(() => SbomPackages.Read(Encoding.UTF8.GetBytes(text)));

    private const string CycloneDx = """{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{"type":"operating-system","name":"debian","version":"12.1"},{"type":"library","name":"zlib","purl":"pkg:deb/debian/zlib1g@1.2.13?distro=debian-12"}]}""";

    private const string CycloneDxXml = """
        <?xml version="1.0"?>
        <bom xmlns="http://cyclonedx.org/schema/bom/1.5" version="1">
          <metadata><component type="container" bom-ref="top"><name>shop</name><purl>pkg:oci/shop@sha256:00</purl></component></metadata>
          <components>
            <component type="operating-system"><name>debian</name><version>12.1</version></component>
            <component type="library"><name>zlib</name><licenses><license><id>Zlib</id></license></licenses><purl><![CDATA[pkg:deb/debian/zlib1g@1.2.13?distro=debian-12]]></purl></component>
          </components>
        </bom>
        """;

    private const string SpdxTags = """
        SPDXVersion: SPDX-2.3
        SPDXID: SPDXRef-DOCUMENT
        # a comment
        PackageName: shop
        SPDXID: SPDXRef-top
        ExternalRef: PACKAGE-MANAGER purl pkg:oci/shop@sha256:00
        Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-top

        PackageName: debian
        SPDXID: SPDXRef-OperatingSystem-1
        PackageVersion: 12.1
        PrimaryPackagePurpose: OPERATING-SYSTEM

        PackageName: zlib
        SPDXID: SPDXRef-zlib
        PackageVersion: 1.2.13
        PackageComment: <text>two lines
        PackageName: not this</text>
        PackageLicenseDeclared: Zlib
        ExternalRef: PACKAGE-MANAGER purl pkg:deb/debian/zlib1g@1.2.13?distro=debian-12
        FileName: ./a
        ExternalRef: PACKAGE-MANAGER purl pkg:deb/debian/other@1
        """;

    public static TheoryData<string> Wrappings => new()
    {
        CycloneDx,
        CycloneDxXml,
        SpdxTags,
        Statement(CycloneDx),
        Statement($$"""{"Data":{{CycloneDx}}}"""),
        Statement($$"""{"Data":{{System.Text.Json.JsonSerializer.Serialize(CycloneDx)}}}"""),
        Envelope(Statement(CycloneDx)),
        $$"""{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","dsseEnvelope":{{Envelope(Statement(CycloneDx))}}}""",
    };

    [Theory]
    [MemberData(nameof(Wrappings))]
    public void A_document_is_read_in_each_of_its_forms_and_wrappings(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Assert.Equal("zlib1g 1.2.13", string.Join(", ", SbomPackages.Read(bytes).Select(static p => $"{p.Name} {p.Version}")));
        Assert.Equal(new Distribution("debian", "12.1"), SbomPackages.ReadDistribution(bytes));
        Assert.Equal(text == SpdxTags, SbomPackages.IsSpdx(bytes));
    }

    [Theory]
    [InlineData("<bom xmlns=\"http://example.org\"/>")]
    [InlineData("<bom")]
    [InlineData("SPDX is a format")]
    [InlineData("""{"payloadType":"application/vnd.in-toto+json","payload":"not base64"}""")]
    [InlineData("""{"predicate":"{}"}""")]
    public void What_is_no_document_is_refused(string text) =>
        Assert.Throws<InvalidDataException>(() => SbomPackages.Read(Encoding.UTF8.GetBytes(text)));

    private static string Statement(string predicate) => $$"""{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://cyclonedx.org/bom","predicate":{{predicate}}}""";

    private static string Envelope(string payload) =>
        $$"""{"payloadType":"application/vnd.in-toto+json","payload":"{{Convert.ToBase64String(Encoding.UTF8.GetBytes(payload))}}","signatures":[]}""";
}
