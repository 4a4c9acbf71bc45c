using System.Text;
using System.Text.Json.Nodes;
using Berth.Scanner.Inventory;
using Berth.Server.Scanning.Sboms;

namespace Berth.Server.Tests.Scanning.Sboms;

public sealed class SbomEnvelopeTests
{
    private const string Document = """{"bomFormat":"CycloneDX","specVersion":"1.5","metadata":{"timestamp":"2026-01-01T00:00:00Z","tools":{"components":[{"name":"maker","version":"2"}]}}}""";

    [Fact]
    public void A_document_is_found_in_all_its_wrappings()
    {
        var statement = new JsonObject
        {
            ["_type"] = "https://in-toto.io/Statement/v1",
            ["subject"] = new JsonArray(new JsonObject { ["digest"] = new JsonObject { ["sha256"] = "ab" } }),
            ["predicateType"] = "https://cyclonedx.org/bom",
            ["predicate"] = JsonNode.Parse(Document),
        };
        var envelope = new JsonObject { ["payloadType"] = "application/vnd.in-toto+json", ["payload"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(statement.ToJsonString())), ["signatures"] = new JsonArray() };
        var bundle = new JsonObject { ["mediaType"] = "application/vnd.dev.sigstore.bundle.v0.3+json", ["dsseEnvelope"] = envelope.DeepClone() };
        foreach (var (text, wrapping) in new[] { (Document, "document"), (statement.ToJsonString(), "in-toto"), (envelope.ToJsonString(), "dsse"), (bundle.ToJsonString(), "sigstore-bundle") })
        {
            var found = SbomEnvelope.Open(Encoding.UTF8.GetBytes(text))!;
            Assert.Equal((SbomFormat.CycloneDx, "1.5", wrapping, "2026-01-01T00:00:00Z"), (found.Format, found.Version, found.Wrapping, found.CreatedAt));
            Assert.Equal(["maker 2"], found.Tools);
            Assert.Equal(Document, Encoding.UTF8.GetString(found.Document));
            Assert.Equal(wrapping == "document" ? [] : ["sha256:ab"], found.Subjects);
        }
        statement["predicate"] = new JsonObject { ["Data"] = Document };
        Assert.Equal(Document, Encoding.UTF8.GetString(SbomEnvelope.Open(Encoding.UTF8.GetBytes(statement.ToJsonString()))!.Document));
    }

    [Theory]
    [InlineData("")]
    [InlineData("7")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"bomFormat":"other"}""")]
    [InlineData("""{"payloadType":"application/vnd.in-toto+json","payload":"no base64!"}""")]
    [InlineData("""{"payloadType":"application/vnd.in-toto+json","payload":"/w=="}""")]
    [InlineData("""{"dsseEnvelope":{"dsseEnvelope":{"dsseEnvelope":{"dsseEnvelope":{"dsseEnvelope":{"dsseEnvelope":{}}}}}}}""")]
    [InlineData("""{"_type":"https://in-toto.io/Statement/v1","predicate":{"Data":"x"}}""")]
    [InlineData("{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"\\ud800\"}")]
    public void What_is_no_document_is_none(string text) => Assert.Null(SbomEnvelope.Open(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData("""{"spdxVersion":"SPDX-2.3","packages":7}""")]
    [InlineData("""{"spdxVersion":"SPDX-2.3","packages":[{"externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:"}]}]}""")]
    [InlineData("{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"components\":[{\"purl\":\"pkg:npm/a@1\",\"name\":\"\\ud800\"}]}")]
    public void A_document_without_packages_that_can_be_read_is_not_used(string text) =>
        Assert.Null(AttachedSboms.InventoryOf(SbomEnvelope.Open(Encoding.UTF8.GetBytes(text))!, new ImageInventory(null, [], [])));
}
