using System.Text;
using Berth.Scanner.Inventory;
using Berth.Scanner.Inventory.Analyzers;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Tests.Inventory.Analyzers;

/// <summary>Forms that the published cases do not have: what tools write since, and what stands between them.</summary>
public sealed class FormatTests
{
    [Theory]
    // pnpm 11: its own needs first, the project's document last.
    [InlineData("pnpm-lock.yaml", "lockfileVersion: '9.0'\n\npackages:\n\n  '@pnpm/exe@11.9.0':\n    resolution: {integrity: x}\n\n---\n\nlockfileVersion: '9.0'\n\npackages:\n\n  is-number@7.0.0:\n    resolution: {integrity: x}\n", "is-number 7.0.0")]
    [InlineData("pnpm-lock.yaml", "lockfileVersion: 5.4\npackages:\n  /@a/b/1.0.0_react@17.0.0:\n    dev: false\n  /c/2.0.0-beta.1:\n    dev: true\n  registry.example.com/d/3.0.0:\n    dev: false\n", "@a/b 1.0.0, c 2.0.0-beta.1, d 3.0.0")]
    [InlineData("pnpm-lock.yaml", "lockfileVersion: '6.0'\npackages:\n  /@a/b@1.0.0(react@17.0.0)(c@2.0.0):\n    dev: false\n  /\"odd\"@1.0.0: {}\n", "\"odd\" 1.0.0, @a/b 1.0.0")]
    [InlineData("pnpm-lock.yaml", "lockfileVersion: '9.0'\npackages:\n  \"caf\\u00e9@1.0.0\":\n    resolution: {integrity: x}\n", "café 1.0.0")]
    [InlineData("yarn.lock", "__metadata:\n  version: 8\n\n\"a@npm:^1.0.0, a@npm:^1.1.0\":\n  version: 1.2.0\n  resolution: \"a@npm:1.2.0\"\n  languageName: node\n\n\"alias@npm:@s/b@^2.0.0\":\n  version: 2.0.1\n  resolution: \"@s/b@npm:2.0.1\"\n\n\"shop@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"shop@workspace:.\"\n", "@s/b 2.0.1, a 1.2.0")]
    [InlineData("yarn.lock", "# yarn lockfile v1\n\n\"@s/b@^1.0.0\", \"@s/b@^1.2.0\":\n  version \"1.2.3\"\n  dependencies:\n    c \"^1.0.0\"\n\nc@^1.0.0:\n  version \"1.0.9\"\n", "@s/b 1.2.3, c 1.0.9")]
    [InlineData("requirements.txt", "Jinja2==3.0.0#comment\nfoo=='invalid'\nbar[extra]==1.0 ; python_version < '3'\nbaz===2.0\n--hash=sha256:00\nqux==1.0 --hash=sha256:00 \\\n  --hash=sha256:11\nUPPER_case.name==4.0\n", "Jinja2 3.0.0, UPPER_case.name 4.0, bar 1.0, baz 2.0, qux 1.0")]
    [InlineData("app.deps.json", """{"runtimeTarget":{"name":".NETCoreApp,Version=v8.0/linux-x64"},"targets":{},"libraries":{"runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.0":{"type":"runtimepack"},"shop/1.0.0":{"type":"project"},"Newtonsoft.Json/13.0.1":{"type":"package"},"x/1":{"type":"reference"}}}""", "Microsoft.NETCore.App.Runtime.linux-x64 8.0.0, Newtonsoft.Json 13.0.1, shop 1.0.0")]
    [InlineData("obj/project.assets.json", """{"version":3,"libraries":{"A/1.0.0":{"type":"package"},"B/1.0.0":{"type":"project"}}}""", "A 1.0.0")]
    [InlineData("Directory.Packages.props", "<Project><PropertyGroup><V>1.2.3</V><W>$(V)</W></PropertyGroup><ItemGroup><PackageVersion Include=\"A\" Version=\"$(W)\" /><PackageVersion Include=\"B\" Version=\"[2.0.0]\" /><PackageVersion Include=\"C\" Version=\"3.*\" /><GlobalPackageReference Include=\"D\"><Version>4.0.0</Version></GlobalPackageReference></ItemGroup></Project>", "A 1.2.3, B 2.0.0, D 4.0.0")]
    [InlineData("packages.lock.json", """{"version":2,"dependencies":{"net8.0":{"A":{"type":"CentralTransitive","resolved":"1.0.0"},"B":{"type":"Project"}},"net8.0/linux-x64":{"A":{"type":"Direct","resolved":"1.0.0"}}}}""", "A 1.0.0")]
    [InlineData("Gemfile.lock", "GEM\n  remote: https://rubygems.org/\n  specs:\n    nokogiri (1.15.4-x86_64-linux)\n      racc (~> 1.4)\n    nokogiri (1.15.4-arm64-darwin)\n      racc (~> 1.4)\n    racc (1.7.1)\n    rails (7.0.0.rc1)\n\nPLATFORMS\n  x86_64-linux\n\nDEPENDENCIES\n  nokogiri\n\nBUNDLED WITH\n   2.4.0\n", "nokogiri 1.15.4, racc 1.7.1, rails 7.0.0.rc1")]
    [InlineData("vendor/composer/installed.json", """[{"name":"a/b","version":"v1.0.0"}]""", "a/b v1.0.0")]
    [InlineData("vendor/composer/installed.json", """{"packages":[{"name":"a/b","version":"1.0.0"},{"name":"c/d","version":"dev-main"}],"dev":true,"dev-package-names":["c/d"]}""", "a/b 1.0.0, c/d dev-main")]
    [InlineData("poetry.lock", "[[package]]\nname = \"a\"\nversion = \"1.0\"\n\n[package.source]\ntype = \"git\"\nurl = \"x\"\n\n[[package]]\nname = 'b'\nversion = \"\"\"2.0\"\"\"\ngroups = [\"main\", \"dev\"]\n\n[metadata]\nlock-version = \"2.1\"\n", "a 1.0, b 2.0")]
    [InlineData("uv.lock", "version = 1\n\n[[package]]\nname = \"shop\"\nversion = \"0.1.0\"\nsource = { virtual = \".\" }\n\n[[package]]\nname = \"a\"\nversion = \"1.0\"\nsource = { registry = \"https://pypi.org/simple\" }\nwheels = [\n    { url = \"x\", hash = \"y\" },\n]\n", "a 1.0")]
    [InlineData("Pipfile.lock", """{"_meta":{},"default":{"a":{"version":"==1.0"},"b":{"git":"x","ref":"y"}},"develop":{"c":{"version":"==2.0"}}}""", "a 1.0, c 2.0")]
    [InlineData("opt/conda/conda-meta/a-1.0-py_0.json", """{"name":"a","version":"1.0","license":"MIT"}""", "a 1.0")]
    [InlineData("lib/apk/db/installed", "C:Q1x\nP:a\nV:1.0-r0\nA:x86_64\nF:usr\nR:x\n\nP:b\nV:2.0-r1\no:a\n", "a 1.0-r0, b 2.0-r1")]
    [InlineData("var/lib/dpkg/status.d/bGliYw==", "Package: libc6\nVersion: 2.36-9\nArchitecture: amd64\nSource: glibc (2.36-9+b1)\nDescription: x\n y\n .\n z\n", "libc6 2.36-9")]
    [InlineData("var/lib/dpkg/status", "Package: a\r\nStatus: install ok installed\r\nVersion: 1:1.0-1\r\n\r\nPackage: b\nStatus: deinstall ok config-files\nVersion: 1\n\n\n\nPackage: c\nStatus: hold ok installed\nVersion: 2\nConffiles:\n /etc/x 00\n", "a 1.0-1, c 2")]
    [InlineData("usr/lib/python3/dist-packages/x.egg-info", "Metadata-Version: 1.1\nName: x\nVersion: 1.0\n", "x 1.0")]
    [InlineData("site-packages/y-1.0.dist-info/METADATA", "Metadata-Version: 2.4\nName: y\nVersion: 1.0\nLicense-Expression: MIT\n\nName: not this\nVersion: 9\n", "y 1.0")]
    [InlineData("opt/bitnami/redis/.spdx-redis.spdx", """{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","packages":[{"SPDXID":"SPDXRef-redis","name":"redis","versionInfo":"7.0.1-0","externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:bitnami/redis@7.0.1-0?arch=amd64"}]}],"documentDescribes":["SPDXRef-redis"]}""", "redis 7.0.1-0")]
    [InlineData("Cargo.lock", "version = 4\n\n[[package]]\nname = \"shop\"\nversion = \"0.1.0\"\ndependencies = [\n \"serde 1.0.0\",\n]\n\n[[package]]\nname = \"serde\"\nversion = \"1.0.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n", "serde 1.0.0, shop 0.1.0")]
    public async Task A_file_names_its_packages(string path, string text, string expected) => Assert.Equal(expected, await Found((path, Encoding.UTF8.GetBytes(text))));

    [Fact]
    public async Task Bytes_that_are_no_text_cost_one_name_and_not_the_file()
    {
        var text = """{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0"},"node_modules/b":{"version":"2.0.0","license":"X"}}}"""u8.ToArray();
        text[text.AsSpan().IndexOf((byte)'X')] = 0xFF;
        Assert.Equal("a 1.0.0, b 2.0.0", await Found(("app/package-lock.json", text)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Programs_of_Go_before_1_18_point_to_their_build_information_also_when_they_are_stripped(bool withSections)
    {
        var (data, texts) = ProgramBytes.GoPointed("go1.16.5", "path\tx.org/a\nmod\tx.org/a\tv1.0.0\th1:x\ndep\tx.org/b\tv1.2.3\th1:x\n=>\tx.org/c\tv1.2.4\th1:y\n", 0x500000);
        Assert.Equal("stdlib 1.16.5, x.org/a 1.0.0, x.org/c 1.2.4", await Found(("bin/a", ProgramBytes.Elf([new(".data", data, 0x600000, true), new(".rodata", texts, 0x500000)], withSections))));
    }

    [Fact]
    public async Task Programs_of_Rust_name_their_crates_and_not_those_that_only_built_them() => Assert.Equal("a 1.0.0, b 2.0.0", await Found(("bin/a", ProgramBytes.Elf([new(".dep-v0", ProgramBytes.Auditable(
        """{"packages":[{"name":"a","version":"1.0.0","source":"local","root":true},{"name":"b","version":"2.0.0","source":"crates.io"},{"name":"c","version":"3.0.0","source":"crates.io","kind":"build"}]}"""u8.ToArray()))]))));

    [Fact]
    public async Task Archives_in_archives_are_named_by_their_properties_their_manifest_or_their_name()
    {
        var properties = "groupId=g\nartifactId=a\nversion=1.0\n"u8.ToArray();
        var inner = ProgramBytes.Zip(("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\nImplementation-Vendor-Id: org.b\r\nImplementation-Title: b\r\nImplementation-Version: 2.\r\n 0\r\n\r\n"u8.ToArray()));
        var war = ProgramBytes.Zip(("WEB-INF/lib/a-1.0.jar", ProgramBytes.Zip(("META-INF/maven/g/a/pom.properties", properties), ("lib/b-2.0.jar", inner))), ("WEB-INF/lib/empty.jar", []));
        Assert.Equal("g:a 1.0, org.b:b 2.0", await Found(("opt/shop.war", war)));
        // Something may stand before an archive, such as the script that starts it.
        Assert.Equal("g:a 1.0, org.b:b 2.0", await Found(("opt/shop.jar", [.. "#!/bin/sh\nexec java -jar $0\n"u8, .. war])));
    }

    [Fact]
    public void The_distribution_of_a_document_is_read_as_this_program_and_as_Trivy_write_it()
    {
        foreach (var purpose in (string[])["OPERATING_SYSTEM", "OPERATING-SYSTEM"])
        {
            var document = Encoding.UTF8.GetBytes($$"""{"spdxVersion":"SPDX-2.3","packages":[{"SPDXID":"SPDXRef-x","name":"debian","versionInfo":"12","primaryPackagePurpose":"{{purpose}}"}]}""");
            Assert.Equal(new Distribution("debian", "12"), Berth.Scanner.Inventory.Analyzers.Sboms.SbomPackages.ReadDistribution(document));
        }
    }

    private static async Task<string> Found(params (string Path, byte[] Content)[] files)
    {
        var layer = await new LayerWalker(AnalyzerSet.All, LayerLimits.Default).ReadAsync(
            _ => ValueTask.FromResult<Stream>(new MemoryStream(Layers.TarBytes.Archive([.. files.Select(file => Layers.TarBytes.Entry(file.Path, file.Content))]))), TestContext.Current.CancellationToken);
        return string.Join(", ", ImageInventory.Join([layer]).Packages.Select(package => package.Name + " " + package.Version).Order(StringComparer.Ordinal));
    }
}
