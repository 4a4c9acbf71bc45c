using System.IO.Compression;
using System.Text;
using Berth.Scanner.Advisories.Bundle;
using Berth.Scanner.Advisories.Cvss;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Advisories.Folder;
using Berth.Scanner.Advisories.Trivy;
using Berth.Scanner.Exceptions;
using Berth.Scanner.Inventory;
using Berth.Scanner.Inventory.Analyzers;
using Berth.Scanner.Inventory.Analyzers.Programs;
using Berth.Scanner.Inventory.Analyzers.Sboms;
using Berth.Scanner.Inventory.Layers;
using Berth.Scanner.Matching;
using Berth.Scanner.Misconfiguration;
using Berth.Scanner.Scan;
using Berth.Scanner.Secrets;
using Berth.Scanner.Tests.Advisories;
using Berth.Scanner.Tests.Cases;
using Berth.Scanner.Tests.Inventory.Analyzers;
using Berth.Scanner.Tests.Inventory.Layers;
using Berth.Scanner.Tests.Matching;
using Berth.Scanner.Tests.Scan;
using Berth.Scanner.Versions;

namespace Berth.Scanner.Tests.Fuzzing;

/// <summary>All readers of untrusted bytes: the table of contents of what is fuzzed.</summary>
internal sealed class FuzzTargets : IDisposable
{
    private static readonly LayerLimits Limits = LayerLimits.Default with { MaxLayerBytes = 16 << 20, MaxFileBytes = 8 << 20, MemoryBytes = 1 << 20 };
    private readonly TemporaryFolder folder = new();
    private int made;

    public FuzzTargets() => All = [.. Analyzers(), .. Packed(), .. Layers(), .. Images(), .. Advisories(), .. Documents(), .. Versions()];

    /// <summary>The targets.</summary>
    public IReadOnlyList<FuzzTarget> All { get; }

    public void Dispose() => folder.Dispose();

    // Whatever an analyzer throws is noted as the file's fault by those who call it.
    private static IEnumerable<FuzzTarget> Analyzers() =>
        from file in ScannerCase.All.SelectMany(one => one.Kind == "vulnerabilities/layers" ? [] : one.Files())
        from analyzer in AnalyzerSet.All.For(file.Path) is { Count: > 0 } named ? named : AnalyzerSet.ByContent(file.Content.AsSpan(0, Math.Min(4, file.Content.Length)))
        group file by analyzer into samples
        let path = samples.First().Path
        select new FuzzTarget("analyzer/" + samples.Key.Name, [.. samples.Select(file => file.Content)], bytes => Analyze(samples.Key, path, bytes)) { MayThrowAnything = true };

    // What lies in packed parts, packed again after it was changed.
    private static IEnumerable<FuzzTarget> Packed()
    {
        var jar = AnalyzerSet.All.For("a.jar").Single();
        byte[] manifest = [.. "Manifest-Version: 1.0\r\nBundle-SymbolicName: org.example.lib;singleton:=true\r\nImplementation-Title: lib\r\nImplementation-Version: 1.\r\n 2\r\nImplementation-Vendor-Id: org.example\r\n\r\nName: x\r\n"u8];
        byte[] properties = [.. "#x\ngroupId=org.example\nartifactId=lib\nversion=1.2\n"u8];
        yield return new FuzzTarget("packed/jar", [manifest, properties], bytes => Analyze(jar, "opt/lib-1.2.jar", ProgramBytes.Zip(
            ("META-INF/MANIFEST.MF", bytes), ("META-INF/maven/g/a/pom.properties", bytes), ("lib/inner-1.jar", ProgramBytes.Zip(("META-INF/MANIFEST.MF", bytes))))))
        { MayThrowAnything = true };
        var wheel = AnalyzerSet.All.For("a.whl").Single();
        yield return new FuzzTarget("packed/wheel", ["Metadata-Version: 2.1\nName: a\nVersion: 1.0\nClassifier: License :: OSI Approved :: MIT License\n\nText\n"u8.ToArray()],
            bytes => Analyze(wheel, "opt/a-1.0-py3-none-any.whl", ProgramBytes.Zip(("a-1.0.dist-info/METADATA", bytes))))
        { MayThrowAnything = true };
        var program = ProgramPackages.Analyzer;
        yield return new FuzzTarget("packed/crates", ["""{"packages":[{"name":"a","version":"1.0.0","source":"local","dependencies":[1],"root":true},{"name":"b","version":"2.0.0","source":"crates.io","kind":"build"}]}"""u8.ToArray()],
            bytes => Analyze(program, "usr/bin/tool", ProgramBytes.Elf([new(".dep-v0", ProgramBytes.Auditable(bytes))])))
        { MayThrowAnything = true };
        yield return new FuzzTarget("packed/go", [Encoding.ASCII.GetBytes("path\tx.org/a\nmod\tx.org/a\t(devel)\t\ndep\tx.org/b\tv1.2.3\th1:x\n=>\tx.org/c\tv1.2.4\th1:y\nbuild\t-ldflags=\"-X main.version=v1.0.0\"\n")],
            bytes => Analyze(program, "usr/bin/tool", ProgramBytes.Elf([new(".go.buildinfo", ProgramBytes.GoInline("go1.22.1", Encoding.Latin1.GetString(bytes)))])))
        { MayThrowAnything = true };
        var (data, texts) = ProgramBytes.GoPointed("go1.16.5", "mod\tx.org/a\tv1.0.0\th1:x\ndep\tx.org/b\tv1.2.3\th1:x\n", 0x500000);
        yield return new FuzzTarget("packed/elf", [ProgramBytes.Elf([new(".data", data, 0x600000, true), new(".rodata", texts, 0x500000)], false), ProgramBytes.Elf([new(".go.buildinfo", data, 0x600000, true), new(".rodata", texts, 0x500000)])],
            bytes => Analyze(program, "usr/bin/tool", bytes))
        { MayThrowAnything = true, Weight = 8 };
    }

    private static void Analyze(FileAnalyzer analyzer, string path, byte[] bytes)
    {
        if (bytes.Length <= analyzer.MaxBytes) analyzer.Analyze(new FileContent(bytes), new FileReport(path, Limits, CancellationToken.None));
    }

    private static IEnumerable<FuzzTarget> Layers()
    {
        var plain = ScannerCase.All.Where(one => one.Kind.StartsWith("vulnerabilities/layers", StringComparison.Ordinal) || one.Id.StartsWith("real-", StringComparison.Ordinal))
            .SelectMany(one => one.Layers()).Select(Unpacked).Where(layer => layer.Length < 2 << 20).ToList();
        plain.Add(Strange());
        yield return new FuzzTarget("layer/tar", plain, bytes => Read(bytes, plain[0])) { Repair = Resummed, Weight = 12 };
        yield return new FuzzTarget("layer/tar in gzip", plain, bytes => Read(bytes, plain[0])) { Repair = bytes => Gzip(Resummed(bytes)), Weight = 3 };
        yield return new FuzzTarget("layer/gzip", [.. plain.Select(Gzip)], bytes => Read(bytes, plain[0]));
        yield return new FuzzTarget("layer/zstd", [.. ZstdStreamTests.Frames.Select(frame => Convert.FromBase64String(frame.Packed))], bytes => Read(bytes, plain[0])) { Weight = 12 };
        yield return new FuzzTarget("layer/stored inventory", [.. plain.Select(layer => LayerInventoryJson.Write(Layer(layer)))], bytes => LayerInventoryJson.Read(bytes));
    }

    // All kinds of entries that archives have.
    private static byte[] Strange() => TarBytes.Archive(
        TarBytes.OldSparse("app/package.json", 5000, [.. """{"name":"a","version":"1.0.0"}"""u8], (0, 10), (10, 10), (20, 5), (25, 2), (27, 1), (28, 2)),
        TarBytes.Pax(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "b/package.json"), ("GNU.sparse.realsize", "4096")),
        TarBytes.Entry("GNUSparseFile.0/package.json", [.. Encoding.ASCII.GetBytes("1\n0\n30\n".PadRight(512, '\0')), .. """{"name":"b","version":"1.0.0"}"""u8]),
        TarBytes.Pax(("GNU.sparse.map", "0,30"), ("GNU.sparse.size", "100"), ("path", "c/package.json")),
        TarBytes.Entry("x", """{"name":"c","version":"1.0.0"}"""),
        TarBytes.Entry("././@LongLink", Encoding.ASCII.GetBytes(new string('d', 150) + "/package.json\0"), 'L'),
        TarBytes.Entry("x", """{"name":"d","version":"1.0.0"}"""),
        TarBytes.Entry("e/package.json", [], '1', "app/package.json"), TarBytes.Entry("f/package.json", [], '1', "lower/package.json"), TarBytes.Entry("g", [], '2', "../../x"),
        TarBytes.Entry("h/", [], '5'), TarBytes.Entry("h/.wh.i", []), TarBytes.Entry("h/.wh..wh..opq", []), TarBytes.Entry("dev/null", [], '3'), TarBytes.Entry("x.egg-info/", [], '5'));

    private static void Read(byte[] bytes, byte[] lower)
    {
        var layer = Layer(bytes);
        if (LayerInventoryJson.Read(LayerInventoryJson.Write(layer)) is null) throw new InvalidOperationException("the stored form cannot be read");
        foreach (var sources in (PackageSources[])[PackageSources.All, PackageSources.WithoutLocks | PackageSources.Owned])
            _ = MatchSubject.Of(ImageInventory.Join([Layer(lower), layer, layer], sources));
    }

    private static LayerInventory Layer(byte[] bytes) =>
        new LayerWalker(AnalyzerSet.All, Limits, SecretScanner.Default).ReadAsync(_ => ValueTask.FromResult<Stream>(new MemoryStream(bytes)), CancellationToken.None).GetAwaiter().GetResult();

    private IEnumerable<FuzzTarget> Images()
    {
        var layer = TestImages.Layer(("etc/os-release", "ID=debian\nVERSION_ID=12\n"));
        TestImages.DockerArchive(folder.Of("docker.tar"), layer, layer);
        yield return new FuzzTarget("image/archive", [File.ReadAllBytes(folder.Of("docker.tar"))], bytes =>
        {
            using var image = ImageArchive.OpenAsync(Written(bytes), null, Limits, CancellationToken.None).GetAwaiter().GetResult();
            new ImageScan(null, Limits).InventoryAsync(image.Image, PackageSources.All, CancellationToken.None).GetAwaiter().GetResult();
        })
        { Repair = Resummed };
        yield return new FuzzTarget("image/configuration", [TestImages.Config(layer), """{"config":{"User":"root","Env":["A_TOKEN=x"],"ExposedPorts":{"22/tcp":{}}},"history":[{"created_by":"ADD http://x /y"}]}"""u8.ToArray()],
            bytes => ImageConfigurationChecks.Check(bytes, SecretScanner.Default));
    }

    private IEnumerable<FuzzTarget> Advisories()
    {
        var bolt = File.ReadAllBytes(MatchingDatabases.TrivyFile(folder.Path));
        yield return new FuzzTarget("advisories/bbolt", [bolt], bytes => Import(bytes, "trivy.db")) { Weight = 40 };
        yield return new FuzzTarget("advisories/metadata", [File.ReadAllBytes(TestFiles.Of("matching", "metadata.json"))], bytes => Built(builder =>
            TrivyDatabaseImport.Read(Path.Combine(folder.Path, "fixture.db"), bytes, "x", builder, CancellationToken.None)))
        { Weight = 1 };
        (string Name, byte[][] Samples)[] files =
        [
            ("main.json", ["""{"distroversion":"v3.19","reponame":"main","packages":[{"pkg":{"name":"openssl","secfixes":{"3.1.4-r5":["CVE-2024-0727","CVE_2024_1 (+ regression)"],"0":["CVE-2020-1"]}}}]}"""u8.ToArray()]),
            ("tracker.json", ["""{"openssl":{"CVE-2024-1":{"description":"a","releases":{"bookworm":{"status":"resolved","fixed_version":"3.0.1-1","urgency":"low"},"sid":{"status":"open","nodsa_reason":"ignored"}}}}}"""u8.ToArray()]),
            ("kev.json", ["""{"vulnerabilities":[{"cveID":"CVE-2024-1","dateAdded":"2024-01-01","dueDate":"2024-02-01","knownRansomwareCampaignUse":"Known"}]}"""u8.ToArray()]),
            ("epss.csv", [Encoding.ASCII.GetBytes("#model_version:v2025,score_date:2025-01-01T00:00:00Z\ncve,epss,percentile\nCVE-2024-1,0.5,0.9\nCVE-2024-2,1e-5,0\n")]),
            ("rubysec.jsonl", [File.ReadAllBytes(TestFiles.Of("matching", "rubysec.jsonl"))[..20_000]]),
            ("osv.json", [.. Directory.EnumerateFiles(TestFiles.Of("matching", "osv"), "*.json*", SearchOption.AllDirectories).Take(20).SelectMany(file => File.ReadLines(file).Take(20)).Select(Encoding.UTF8.GetBytes).Where(line => line.Length > 50)]),
        ];
        foreach (var (name, samples) in files)
            if (samples.Length > 0) yield return new FuzzTarget("advisories/" + name, samples, bytes => Import(bytes, name));
        var database = folder.Of("whole.advisories");
        using (var builder = new AdvisoryDatabaseBuilder(database))
        {
            TrivyDatabaseImport.Read(Path.Combine(folder.Path, "fixture.db"), null, "x", builder, CancellationToken.None);
            builder.Complete(DateTimeOffset.UnixEpoch, CancellationToken.None);
        }
        yield return new FuzzTarget("advisories/database", [File.ReadAllBytes(database)], Look);
        using var bundle = new MemoryStream();
        AdvisoryBundle.WriteAsync(database, null, bundle, CancellationToken.None).GetAwaiter().GetResult();
        yield return new FuzzTarget("advisories/bundle", [bundle.ToArray()], bytes =>
            AdvisoryBundle.ExtractAsync(new MemoryStream(bytes), [], folder.Of("extracted"), CancellationToken.None).GetAwaiter().GetResult())
        { Weight = 1 };
    }

    private void Look(byte[] bytes)
    {
        using var database = AdvisoryDatabase.Open(Written(bytes));
        var image = new ImageInventory(new Distribution("debian", "10.1"), [new Package(PackageType.Dpkg, "libidn2-0", "2.0.5-1") { SourceName = "libidn2" }, new Package(PackageType.Npm, "jquery", "3.3.9")], []);
        _ = new Matcher(database, new MatchOptions { JoinAliases = true }).Match(image);
        foreach (var bucket in database.BucketsWithPrefix("").Take(50)) _ = database.Advisories(bucket).Take(1000).Count();
    }

    private void Import(byte[] bytes, string name) => Built(builder =>
    {
        var path = folder.Of(name);
        File.WriteAllBytes(path, bytes);
        FolderImport.ReadFile(path, name, builder, CancellationToken.None);
    });

    private void Built(Action<AdvisoryDatabaseBuilder> fill)
    {
        var path = folder.Of("built.advisories");
        using var builder = new AdvisoryDatabaseBuilder(path);
        fill(builder);
        builder.Complete(DateTimeOffset.UnixEpoch, CancellationToken.None);
    }

    private static IEnumerable<FuzzTarget> Documents()
    {
        var package = new Package(PackageType.Npm, "left-pad", "1.3.0") { Path = "app/node_modules/left-pad/package.json" };
        var finding = new Finding("CVE-2020-1", package);
        var subject = new ExceptionSubject(DateTimeOffset.UnixEpoch) { ProductIds = ["shop/web:1"] };
        yield return new FuzzTarget("document/openvex",
            ["""{"@context":"https://openvex.dev/ns/v0.2.0","statements":[{"vulnerability":{"name":"CVE-2020-1","aliases":["X"]},"products":[{"@id":"shop/web:1","subcomponents":[{"@id":"pkg:npm/left-pad@1.3.0"}]}],"status":"not_affected","justification":"component_not_present","timestamp":"2024-01-01T00:00:00Z"}]}"""u8.ToArray()],
            bytes => OpenVexDocument.Parse(bytes).Find(finding, subject));
        yield return new FuzzTarget("document/cyclonedx vex",
            ["""{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"bom-ref":"a","purl":"pkg:npm/left-pad@1.3.0"}],"vulnerabilities":[{"id":"CVE-2020-1","analysis":{"state":"not_affected","justification":"code_not_present","detail":"x"},"affects":[{"ref":"a"},{"ref":"urn:cdx:x/1#a"}]}]}"""u8.ToArray()],
            bytes => CycloneDxVex.Parse(bytes).Find(finding, subject));
        yield return new FuzzTarget("document/trivyignore", ["# why\nCVE-2020-1 exp:2030-01-01\n\nDS002\nCVE-2 # x\n"u8.ToArray()], bytes => TrivyIgnoreFile.Parse(".trivyignore", bytes).Find(finding, subject));
        yield return new FuzzTarget("document/trivyignore.yaml",
            ["vulnerabilities:\n  - id: CVE-2020-1\n    paths: [\"app/**/package.json\"]\n    purls:\n      - pkg:npm/left-pad@1.3.0\n    expired_at: 2030-01-01\n    statement: \"why\"\nsecrets:\n  - id: x\n"u8.ToArray()],
            bytes => TrivyIgnoreFile.Parse(".trivyignore.yaml", bytes).Find(finding, subject));
        yield return new FuzzTarget("document/secret rules",
            ["rules:\n  - id: mine\n    category: x\n    title: y\n    severity: HIGH\n    keywords: [secret]\n    regex: \"(?i)(?P<key>secret)=[a-z]{3,9}\"\n    secret-group-name: key\nallow-rules:\n  - id: a\n    regex: test\n    path: .*\nenable-builtin-rules: [github-pat]\ndisable-rules: [x]\n"u8.ToArray()],
            bytes => SecretRuleFile.Read(bytes).Scan("x", "secret=abcdef"u8));
        var boms = ScannerCase.All.SelectMany(one => one.Files()).Where(file => file.Content.AsSpan(0, Math.Min(2000, file.Content.Length)).IndexOf("bomFormat"u8) >= 0).Select(file => file.Content).ToList();
        boms.Add("""{"spdxVersion":"SPDX-2.3","packages":[{"SPDXID":"SPDXRef-1","name":"x","versionInfo":"1","primaryPackagePurpose":"OPERATING_SYSTEM","sourceInfo":"built package from: x 1","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:deb/debian/x@1?arch=amd64&distro=debian-12"}]}],"relationships":[{"spdxElementId":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBES","relatedSpdxElement":"SPDXRef-1"}]}"""u8.ToArray());
        boms.Add("SPDXVersion: SPDX-2.3\nPackageName: x\nSPDXID: SPDXRef-1\nPackageVersion: 1\nPackageComment: <text>a\nb</text>\nExternalRef: PACKAGE-MANAGER purl pkg:deb/debian/x@1?arch=amd64\nRelationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-1\n"u8.ToArray());
        boms.Add("""{"payloadType":"application/vnd.in-toto+json","payload":"eyJwcmVkaWNhdGUiOnsiRGF0YSI6IntcImJvbUZvcm1hdFwiOlwiQ3ljbG9uZURYXCJ9In19"}"""u8.ToArray());
        boms.Add("""<bom xmlns="http://cyclonedx.org/schema/bom/1.5"><metadata><component type="container"><name>s</name></component></metadata><components><component type="library" bom-ref="a"><name>x</name><purl><![CDATA[pkg:npm/x@1]]></purl><licenses><license><id>MIT</id></license></licenses><components><component/></components></component></components></bom>"""u8.ToArray());
        boms.Add("SPDXVersion: SPDX-2.3\nPackageName: x\nSPDXID: SPDXRef-1\nPackageVersion: 1\nPackageComment: <text>a\nb</text>\nExternalRef: PACKAGE-MANAGER purl pkg:npm/x@1\nRelationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-1\nFileName: ./a\n"u8.ToArray());
        boms.Add("""{"mediaType":"x","dsseEnvelope":{"payloadType":"application/vnd.in-toto+json","payload":"eyJwcmVkaWNhdGUiOnsiRGF0YSI6eyJib21Gb3JtYXQiOiJDeWNsb25lRFgifX19"}}"""u8.ToArray());
        yield return new FuzzTarget("document/sbom", boms, bytes => _ = (SbomPackages.Read(bytes), SbomPackages.ReadDistribution(bytes)));
        yield return new FuzzTarget("document/secrets",
            [Encoding.ASCII.GetBytes("A=1\nTOKEN=ghp" + "_0123456789abcdefghijABCDEFGHIJ012345\n-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\naws_secret_access_key = abcdefghijABCDEFGHIJ0123456789/+abcdefgh\n")],
            bytes => SecretScanner.Default.Scan("app/.env", bytes));
        yield return new FuzzTarget("document/content manifest", ["""{"metadata":{"icm_version":1},"content_sets":["rhel-8-for-x86_64-baseos-rpms"],"image_contents":[]}"""u8.ToArray()],
            bytes => _ = (RedHatBuild.ContentSets(bytes), RedHatBuild.Nvr("root/buildinfo/Dockerfile-ubi8-8.4-1", bytes)));
    }

    private static IEnumerable<FuzzTarget> Versions()
    {
        VersionOrder[] orders =
        [
            VersionOrders.Dpkg, VersionOrders.Rpm, VersionOrders.Apk, VersionOrders.Npm, VersionOrders.Semantic, VersionOrders.Pep440, VersionOrders.Maven, VersionOrders.NuGet, VersionOrders.RubyGems, VersionOrders.Go,
            VersionOrders.Composer,
        ];
        var rows = Directory.EnumerateFiles(TestFiles.Of("version-order"), "*.tsv").SelectMany(file => File.ReadLines(file).Take(200)).Select(Encoding.UTF8.GetBytes).ToList();
        yield return new FuzzTarget("text/versions", rows, bytes =>
        {
            var parts = Encoding.UTF8.GetString(bytes).Split('\t');
            string left = parts[0], right = parts.Length > 1 ? parts[1] : "";
            foreach (var order in orders)
            {
                _ = (order.Satisfies(left, right), order.Satisfies(right, left));
                if (Math.Sign(order.Compare(left, right)) != -Math.Sign(order.Compare(right, left))) throw new InvalidOperationException($"{order.GetType().Name} has no order for '{left}' and '{right}'");
            }
        })
        { Weight = 12 };
        yield return new FuzzTarget("text/package urls", [.. new[] { "pkg:npm/%40a/b@1.0?x=y#z", "pkg:deb/debian/x@1%3A2?arch=amd64&distro=debian-12", "pkg:golang/a/b/c@v1#d/e", "pkg:maven/g/a@1" }.Select(Encoding.ASCII.GetBytes)], bytes =>
        {
            var text = Encoding.UTF8.GetString(bytes);
            _ = PackagePattern.Names(text, new Package(PackageType.Npm, "@a/b", "1.0"), null);
            if (PackageUrls.Parse(text) is not { } url) return;
            _ = PackageUrls.Of(PackageUrls.ToPackage(url), new Distribution("debian", "12"));
            if (url.ToString() is { Length: < 8192 } written && PackageUrls.Parse(written)?.ToString() != written) throw new InvalidOperationException($"'{url}' is not read as it is written");
        });
        yield return new FuzzTarget("text/cvss and paths", [.. new[] { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "AV:N/AC:L/Au:N/C:P/I:P/A:P", "**/a/*/[b-c]?.txt" }.Select(Encoding.ASCII.GetBytes)], bytes =>
        {
            var text = Encoding.UTF8.GetString(bytes);
            _ = (CvssV2.BaseScore(text), CvssV3.BaseScore(text), new PathPattern(text).Matches("a/b/c.txt"));
        });
    }

    private string Written(byte[] bytes)
    {
        var path = folder.Of("input" + (made++ & 1));
        File.WriteAllBytes(path, bytes);
        return path;
    }

    // Headers with a wrong checksum are refused at once: most get a right one.
    private static byte[] Resummed(byte[] tar)
    {
        for (var at = 0; at + 512 <= tar.Length; at += 512)
            if (tar.AsSpan(at + 257, 5).SequenceEqual("ustar"u8)) TarBytes.Sum(tar.AsSpan(at, 512));
        return tar;
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest)) gzip.Write(bytes);
        return buffer.ToArray();
    }

    private static byte[] Unpacked(byte[] gzip)
    {
        using var unpacked = new MemoryStream();
        using (var stream = new GZipStream(new MemoryStream(gzip), CompressionMode.Decompress)) stream.CopyTo(unpacked);
        return unpacked.ToArray();
    }
}
