using System.Text;
using Berth.Scanner.Tests.Inventory.Layers;

namespace Berth.Scanner.Tests.Fuzzing;

/// <summary>Inputs that fuzzing found, made small: each ended a reader with an exception that nobody expects from it.</summary>
public sealed class FoundInputsTests
{
    [Theory]
    // Half of a pair of surrogates is no text: as a name it ended whoever looked for another one.
    [InlineData("image/configuration", """{"config":{"ExposedPorts":{"\ud800":{}},"\ud800":1,"User":"app"}}""")]
    [InlineData("advisories/tracker.json", """{"a":{"\ud800":{"releases":{"bookworm":{"status":"open"}}},"CVE-1":{"releases":{"\udc00":{}}}}}""")]
    [InlineData("advisories/tracker.json", """{"\ud800":{"CVE-1":{}}}""")]
    [InlineData("advisories/rubysec.jsonl", """{"package":"a","\ud800":1,"cvss_\udc00":2,"id":"X"}""")]
    [InlineData("advisories/kev.json", """{"vulnerabilities":[{"\ud800":1,"cveID":"CVE-1"}]}""")]
    [InlineData("document/openvex", """{"\ud800":1,"statements":[{"\ud800":[],"vulnerability":{"\udc00":1}}]}""")]
    [InlineData("document/content manifest", """{"\ud800":1,"content_sets":["x"]}""")]
    [InlineData("document/sbom", """{"bomFormat":"CycloneDX","components":[{"name":"\ud800"}]}""")]
    public void Names_and_texts_that_are_none_are_refused_or_passed_over(string target, string text) => Give(target, Encoding.UTF8.GetBytes(text));

    [Theory]
    [InlineData("document/sbom")]
    [InlineData("document/openvex")]
    [InlineData("image/configuration")]
    public void Bytes_that_are_no_text_are_refused_or_passed_over(string target) => Give(target, [.. "{\"bomFormat\":\"CycloneDX\",\"config\":{\"ExposedPorts\":{\""u8, 0xA7, 0xFF, .. "\":{}}}}"u8]);

    [Theory]
    [InlineData("2 ")]
    [InlineData("0 a=b\n")]
    [InlineData("3 =")]
    [InlineData("99 a=b\n")]
    [InlineData("-7 a=b\n")]
    [InlineData("2147483647 a=b\n")]
    public void Records_of_extended_headers_with_any_length_are_refused_or_read(string record) =>
        Give("layer/tar", TarBytes.Archive(TarBytes.Entry("pax", Encoding.ASCII.GetBytes(record), 'x'), TarBytes.Entry("a", "b")));

    [Fact]
    public void A_bundle_whose_sizes_are_none_is_refused()
    {
        foreach (var first in (byte[])[0x80, 0xFF, 0xBF])
        {
            Give("advisories/bundle", TarBytes.Archive(TarBytes.Entry("manifest.json", [], change: header =>
            {
                header.AsSpan(124, 12).Fill(0xFF);
                header[124] = first;
            })));
        }
    }

    private static void Give(string name, byte[] bytes)
    {
        using var targets = new FuzzTargets();
        var run = new FuzzRun(targets.All, 0);
        run.Once(targets.All.Single(target => target.Name == name), bytes, "found");
        Assert.Empty(run.Problems);
    }
}
