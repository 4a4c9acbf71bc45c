using Berth.Scanner.Inventory;
using Berth.Scanner.Inventory.Analyzers;
using Berth.Scanner.Inventory.Layers;
using Berth.Scanner.Tests.Scan;

namespace Berth.Scanner.Tests.Inventory;

public sealed class DistributionTests
{
    private const string Pro = "var/lib/ubuntu-advantage/status.json";

    [Theory]
    [InlineData("amazon", "2 (Karoo)", "etc/system-release", "Amazon Linux release 2 (Karoo)\n")]
    [InlineData("amazon", "AMI release 2018.03", "etc/system-release", "Amazon Linux AMI release 2018.03\n")]
    [InlineData("amazon", "2023.5.20240701 (Amazon Linux)", "usr/lib/system-release", "Amazon Linux release 2023.5.20240701 (Amazon Linux)\n", "etc/os-release", "ID=amzn\nVERSION_ID=2023\n")]
    [InlineData("alma", "9.6", "etc/os-release", "ID=\"almalinux\"\nVERSION_ID=\"9.6\"\n")]
    [InlineData("centos-stream", "9", "etc/os-release", "NAME=\"CentOS Stream\"\nID=centos\nVERSION_ID=9\n")]
    [InlineData("oracle", "7.6", "etc/oracle-release", "Oracle Linux Server release 7.6\n", "etc/redhat-release", "Red Hat Enterprise Linux Server release 7.6 (Maipo)\n")]
    [InlineData("debian", "trixie/sid", "etc/os-release", "ID=debian\n", "etc/debian_version", "trixie/sid\n")]
    [InlineData("slem", "6.0", "etc/os-release", "ID='sl-micro'\nVERSION_ID='6.0'\n")]
    [InlineData("echo", "1", "etc/os-release", "ID=echo\nVERSION_ID=1\n")]
    [InlineData("openeuler", "22.03-LTS-SP3", "etc/os-release", "NAME=\"openEuler\"\nVERSION=\"22.03 (LTS-SP3)\"\nID=\"openEuler\"\nVERSION_ID=\"22.03\"\nPRETTY_NAME=\"openEuler 22.03 (LTS-SP3)\"\n")]
    [InlineData("openeuler", "22.03-LTS", "etc/os-release", "ID=\"openEuler\"\nVERSION_ID=\"22.03\"\nPRETTY_NAME=\"openEuler 22.03 LTS\"\n")]
    [InlineData("openeuler", "23.09", "etc/os-release", "ID=\"openEuler\"\nVERSION_ID=\"23.09\"\n")]
    [InlineData("bottlerocket", "1.34.0", "x86_64-bottlerocket-linux-gnu/sys-root/usr/lib/os-release", "ID=bottlerocket\nVERSION_ID=1.34.0\n")]
    public async Task The_release_files_of_an_image_name_its_distribution(string family, string version, params string[] files) =>
        Assert.Equal(new Distribution(family, version), (await ScanAsync(files)).Distribution);

    [Theory]
    [InlineData("enabled", true)]
    [InlineData("disabled", false)]
    public async Task Ubuntu_says_whether_it_gets_updates_past_the_end_of_support(string status, bool extended)
    {
        var image = await ScanAsync("etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=18.04\n", "etc/os-release", "ID=ubuntu\nVERSION_ID=18.04\n",
            Pro, $$"""{"services":[{"name":"esm-apps","status":"enabled"},{"name":"esm-infra","status":"{{status}}"}]}""");
        Assert.Equal(new Distribution("ubuntu", "18.04") { IsExtended = extended }, image.Distribution);
    }

    [Fact]
    public async Task Bottlerocket_lists_its_packages_in_a_file_of_its_own()
    {
        var image = await ScanAsync("aarch64-bottlerocket-linux-gnu/sys-root/usr/share/bottlerocket/application-inventory.json",
            """{"Content":[{"Name":"clock","Version":"2.43","Release":"1.br1","Epoch":"1","Architecture":"aarch64"},{"Name":"older","Version":"1.0","Release":"1"},{"Name":"none"}]}""");
        Assert.Equal(["clock 1:2.43-1.br1 aarch64", "older 0:1.0-1 "], image.Packages.Select(static p => $"{p.Name} {p.Epoch}:{p.Version}-{p.Release} {p.Architecture}"));
    }

    [Fact]
    public async Task Packages_of_other_publishers_are_marked()
    {
        var image = await ScanAsync("var/lib/dpkg/status",
            "Package: own\nStatus: install ok installed\nVersion: 1\nMaintainer: Debian Team <team@example.org>\n\nPackage: agent\nStatus: install ok installed\nVersion: 2\nMaintainer: Agents <packages@datadoghq.com>\n");
        Assert.Equal(["own False", "agent True"], image.Packages.Select(static p => $"{p.Name} {p.IsThirdParty}"));
    }

    [Fact]
    public async Task A_bill_of_materials_of_another_distribution_adds_no_system_packages()
    {
        var image = await ScanAsync("etc/os-release", "ID=debian\nVERSION_ID=12\n", "opt/tool.cdx.json",
            """{"bomFormat":"CycloneDX","components":[{"purl":"pkg:apk/wolfi/curl@8.0-r0"},{"purl":"pkg:deb/debian/own@1.0"},{"purl":"pkg:npm/left-pad@1.3.0"}]}""");
        Assert.Equal(["left-pad", "own"], image.Packages.Select(static p => p.Name).Order());
    }

    [Theory]
    [InlineData("amazon", "AMI release 2018.03", "2024-01-01")]
    [InlineData("amazon", "2 (Karoo)", "2026-07-01")]
    [InlineData("amazon", "2023.5.20240701 (Amazon Linux)", "2029-07-01")]
    [InlineData("alpine", "3.10.2", "2021-05-02")]
    [InlineData("sles", "15", "2020-01-01")]
    [InlineData("sles", "15.6", "2026-01-01")]
    [InlineData("debian", "1", null)]
    public void Support_ends_for_every_spelling_of_a_release(string family, string version, string? end) =>
        Assert.Equal(end, DistributionSupport.EndOf(new Distribution(family, version))?.ToString("yyyy-MM-dd"));

    private static async Task<ImageInventory> ScanAsync(params string[] files)
    {
        var layer = TestImages.Layer([.. files.Chunk(2).Select(static file => (file[0], file[1]))]);
        var ct = TestContext.Current.CancellationToken;
        return ImageInventory.Join([await new LayerWalker(AnalyzerSet.All, LayerLimits.Default).ReadAsync(_ => ValueTask.FromResult<Stream>(new MemoryStream(layer)), ct)]);
    }
}
