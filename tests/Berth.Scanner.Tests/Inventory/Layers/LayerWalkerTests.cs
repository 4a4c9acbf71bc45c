using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Berth.Scanner.Inventory;
using Berth.Scanner.Inventory.Analyzers;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Tests.Inventory.Layers;

public sealed class LayerWalkerTests
{
    private const string Lodash = """{"name":"lodash","version":"4.17.15","license":"MIT"}""";

    [Fact]
    public async Task The_diff_id_is_computed_and_not_believed()
    {
        var tar = Tar(("app/node_modules/lodash/package.json", Lodash));
        var layer = await ReadAsync(Gzip([.. tar, .. new byte[512]]));
        Assert.Equal("sha256:" + Convert.ToHexStringLower(SHA256.HashData([.. tar, .. new byte[512]])), layer.DiffId);
        var package = Assert.Single(ImageInventory.Join([layer]).Packages);
        Assert.Equal(("lodash", "4.17.15", layer.DiffId, "app/node_modules/lodash/package.json"), (package.Name, package.Version, package.Layer, package.Path));
        Assert.Equal(["MIT"], package.Licenses);
    }

    [Fact]
    public async Task A_file_that_a_later_layer_replaces_counts_in_its_last_form()
    {
        var image = await JoinAsync([("a/package.json", Lodash)], [("a/package.json", Lodash.Replace("4.17.15", "4.17.21"))]);
        Assert.Equal("4.17.21", Assert.Single(image.Packages).Version);
        Assert.Empty((await JoinAsync([("a/package.json", Lodash)], [("a/package.json", "{}")])).Packages);
        Assert.Empty((await JoinAsync([("a/package.json", Lodash)], [("a/package.json", "no json")])).Packages);
    }

    [Fact]
    public async Task Whiteouts_remove_files_and_whole_directories_of_lower_layers_only()
    {
        (string, string)[] lower = [("a/x/package.json", Lodash), ("a/y/package.json", Lodash.Replace("lodash", "minimist"))];
        Assert.Equal(["minimist"], Names(await JoinAsync(lower, [("a/.wh.x", "")])));
        Assert.Equal(["minimist"], Names(await JoinAsync(lower, [("a/x/.wh.package.json", "")])));
        Assert.Empty(Names(await JoinAsync(lower, [(".wh.a", "")])));
        Assert.Equal(["new"], Names(await JoinAsync(lower, [("a/z/package.json", Lodash.Replace("lodash", "new")), ("a/.wh..wh..opq", "")])));
        Assert.Equal(["lodash", "minimist"], Names(await JoinAsync(lower, [("a/.wh..wh.plnk", ""), ("b/.wh.x", "")])));
    }

    [Fact]
    public async Task A_link_in_the_place_of_a_directory_hides_what_was_below_it()
    {
        var lower = await ReadAsync(Tar(("a/x/package.json", Lodash)));
        var upper = await ReadAsync(Build(tar => tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "a") { LinkName = "/etc" })));
        Assert.Empty(ImageInventory.Join([lower, upper]).Packages);
    }

    [Theory]
    [InlineData("store/package.json")]
    [InlineData("store/objects/1f/2e.file")]
    public async Task A_hard_link_names_the_same_package_even_when_its_target_has_no_telling_name(string target)
    {
        var layer = await ReadAsync(Build(tar =>
        {
            tar.WriteEntry(File(target, Lodash));
            tar.WriteEntry(new PaxTarEntry(TarEntryType.HardLink, "app/node_modules/lodash/package.json") { LinkName = target });
        }));
        Assert.Contains(ImageInventory.Join([layer]).Packages, package => package.Path == "app/node_modules/lodash/package.json" && package.Name == "lodash");
    }

    [Fact]
    public async Task Paths_outside_of_the_image_and_links_out_of_it_are_nothing()
    {
        var layer = await ReadAsync(Build(tar =>
        {
            tar.WriteEntry(File("../../package.json", Lodash));
            tar.WriteEntry(File("a/../../package.json", Lodash));
            tar.WriteEntry(new PaxTarEntry(TarEntryType.HardLink, "b/package.json") { LinkName = "../../../etc/passwd" });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "c/package.json") { LinkName = "/proc/self/environ" });
            tar.WriteEntry(File("./d/./package.json", Lodash));
        }));
        Assert.Equal("d/package.json", Assert.Single(ImageInventory.Join([layer]).Packages).Path);
        Assert.Equal(2, layer.Problems.Count);
    }

    [Theory]
    [InlineData(TarEntryFormat.Ustar)]
    [InlineData(TarEntryFormat.Pax)]
    [InlineData(TarEntryFormat.Gnu)]
    public async Task Long_names_are_read_in_every_form_of_archive(TarEntryFormat format)
    {
        var directory = string.Join('/', Enumerable.Repeat("a-directory-with-a-name", format == TarEntryFormat.Ustar ? 6 : 20));
        using var buffer = new MemoryStream();
        await using (var tar = new TarWriter(buffer, format, leaveOpen: true))
        {
            System.Formats.Tar.TarEntry entry = format switch
            {
                TarEntryFormat.Ustar => new UstarTarEntry(TarEntryType.RegularFile, directory + "/package.json"),
                TarEntryFormat.Pax => new PaxTarEntry(TarEntryType.RegularFile, directory + "/package.json"),
                _ => new GnuTarEntry(TarEntryType.RegularFile, directory + "/package.json"),
            };
            entry.DataStream = new MemoryStream(Encoding.UTF8.GetBytes(Lodash));
            await tar.WriteEntryAsync(entry, TestContext.Current.CancellationToken);
        }
        Assert.Equal(directory + "/package.json", Assert.Single((await ReadAsync(buffer.ToArray())).Files).Path);
    }

    [Fact]
    public async Task Bombs_are_refused_while_they_unpack()
    {
        var zeros = Gzip(Build(tar => tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "zeros") { DataStream = new MemoryStream(new byte[8 << 20]) })));
        await Assert.ThrowsAsync<LayerRefusedException>(() => ReadAsync(zeros, LayerLimits.Default with { MaxLayerBytes = 1 << 20 }));
        await Assert.ThrowsAsync<LayerRefusedException>(() => ReadAsync(zeros, LayerLimits.Default with { RatioFromBytes = 1 << 20, MaxRatio = 100 }));
        var many = Tar([.. Enumerable.Range(0, 200).Select(i => ($"d{i}/package.json", Lodash))]);
        await Assert.ThrowsAsync<LayerRefusedException>(() => ReadAsync(many, LayerLimits.Default with { MaxEntries = 100 }));
        await Assert.ThrowsAsync<LayerRefusedException>(() => ReadAsync(many, LayerLimits.Default with { MaxFacts = 100 }));
        await Assert.ThrowsAsync<LayerRefusedException>(() => ReadAsync(many[..9_760], LayerLimits.Default));
        await Assert.ThrowsAsync<LayerRefusedException>(() => ReadAsync(Encoding.UTF8.GetBytes(new string('x', 5000)), LayerLimits.Default));
    }

    [Fact]
    public async Task An_archive_that_is_cut_off_is_refused_or_noted()
    {
        var tar = Build(archive => archive.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "a/package.json") { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(Lodash)) }));
        await Assert.ThrowsAsync<LayerRefusedException>(() => ReadAsync(tar[..512]));
        await Assert.ThrowsAsync<LayerRefusedException>(() => ReadAsync(tar[..540]));
        Assert.Contains("cut off", Assert.Single((await ReadAsync(tar[..700])).Problems).Reason, StringComparison.Ordinal);
        Assert.Contains("cut off", Assert.Single((await ReadAsync(tar[..1024])).Problems).Reason, StringComparison.Ordinal);
        Assert.Empty((await ReadAsync(tar)).Problems);
    }

    [Fact]
    public async Task Damaged_archives_are_read_or_refused_and_nothing_else()
    {
        var random = new Random(1122);
        var plain = Build(tar =>
        {
            tar.WriteEntry(File(string.Join('/', Enumerable.Repeat("long-name", 30)) + "/package.json", Lodash));
            tar.WriteEntry(File("etc/os-release", "ID=debian\nVERSION_ID=12\n"));
            tar.WriteEntry(new PaxTarEntry(TarEntryType.HardLink, "app/package.json") { LinkName = "etc/os-release" });
            tar.WriteEntry(File("a/.wh.b", ""));
        });
        byte[][] seeds = [plain, Gzip(plain)];
        var refused = 0;
        for (var round = 0; round < 3000; round++)
        {
            var bytes = (byte[])seeds[round % 2].Clone();
            for (var i = random.Next(1, 5); i > 0; i--)
            {
                var at = random.Next(bytes.Length);
                bytes[at] = (byte)random.Next(256);
                // A header whose checksum is right again is read further.
                if (round % 2 == 0 && at % 512 is < 148 or > 156) Resum(bytes, at / 512 * 512);
            }
            try
            {
                await ReadAsync(random.Next(4) == 0 ? bytes[..random.Next(bytes.Length)] : bytes, LayerLimits.Default with { MaxLayerBytes = 1 << 20 });
            }
            catch (LayerRefusedException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 500, 2900);
    }

    private static void Resum(byte[] tar, int block)
    {
        var header = tar.AsSpan(block, 512);
        header.Slice(148, 8).Fill((byte)' ');
        var sum = 0;
        foreach (var one in header) sum += one;
        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(header[148..]);
    }

    [Fact]
    public async Task A_file_above_its_limit_is_noted_and_the_rest_is_read()
    {
        var layer = await ReadAsync(Tar(("a/package.json", new string(' ', 5 << 20) + Lodash), ("b/package.json", Lodash)));
        Assert.Equal("a/package.json", Assert.Single(layer.Problems).Path);
        Assert.Single(ImageInventory.Join([layer]).Packages);
    }

    [Fact]
    public async Task Content_beyond_the_memory_limit_waits_in_a_file_that_is_gone_afterwards()
    {
        var directory = Directory.CreateTempSubdirectory("berth-spool");
        try
        {
            var text = Lodash + new string(' ', 100_000);
            var layer = await ReadAsync(Tar(("a/package.json", text)), LayerLimits.Default with { MemoryBytes = 1000, SpoolDirectory = directory.FullName });
            Assert.Single(ImageInventory.Join([layer]).Packages);
            Assert.Empty(directory.GetFiles());
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public void A_directory_is_read_like_a_layer_and_its_links_are_not_followed()
    {
        var directory = Directory.CreateTempSubdirectory("berth-root");
        try
        {
            var package = directory.CreateSubdirectory("root/app/node_modules/lodash");
            System.IO.File.WriteAllText(Path.Combine(package.FullName, "package.json"), Lodash);
            var outside = directory.CreateSubdirectory("outside");
            System.IO.File.WriteAllText(Path.Combine(outside.FullName, "package.json"), Lodash);
            Directory.CreateSymbolicLink(Path.Combine(directory.FullName, "root", "link"), outside.FullName);
            System.IO.File.CreateSymbolicLink(Path.Combine(directory.FullName, "root", "package.json"), Path.Combine(outside.FullName, "package.json"));
            var layer = new RootFileSystem(AnalyzerSet.All, LayerLimits.Default).Read(Path.Combine(directory.FullName, "root"), TestContext.Current.CancellationToken);
            Assert.Equal("app/node_modules/lodash/package.json", Assert.Single(ImageInventory.Join([layer]).Packages).Path);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("etc/hostname", "srv/node_modules/lodash/package.json")]
    [InlineData("README.md", "proc/1/node_modules/lodash/package.json srv/node_modules/lodash/package.json")]
    public void What_the_kernel_fills_is_left_out_of_a_system_and_read_in_a_project(string mark, string expected)
    {
        var directory = Directory.CreateTempSubdirectory("berth-root");
        try
        {
            foreach (var path in (string[])[mark, "proc/1/node_modules/lodash/package.json", "srv/node_modules/lodash/package.json"])
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(directory.FullName, path))!);
                System.IO.File.WriteAllText(Path.Combine(directory.FullName, path), Lodash);
            }
            var layer = new RootFileSystem(AnalyzerSet.All, LayerLimits.Default).Read(directory.FullName, TestContext.Current.CancellationToken);
            Assert.Equal(expected.Split(' '), layer.Files.Select(static file => file.Path).Order(StringComparer.Ordinal));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Language_packages_in_files_of_a_system_package_are_the_distributions_matter()
    {
        const string Status = "Package: python3-x\nStatus: install ok installed\nVersion: 1.0-1\nMaintainer: {0}\n";
        (string, string)[] Image(string maintainer) =>
        [
            ("var/lib/dpkg/status", Status.Replace("{0}", maintainer)),
            ("var/lib/dpkg/info/python3-x.md5sums", "d41d8cd98f00b204e9800998ecf8427e  usr/lib/python3/dist-packages/x-1.0.egg-info\n"),
            ("usr/lib/python3/dist-packages/x-1.0.egg-info", "Metadata-Version: 1.1\nName: x\nVersion: 1.0\n"),
            ("usr/local/lib/python3/site-packages/y-2.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: y\nVersion: 2.0\n"),
        ];
        Assert.Equal(["python3-x", "y"], Names(await JoinAsync(Image("Debian <a@debian.org>"))));
        Assert.Equal(["python3-x", "x", "y"], Names(await JoinAsync(Image("NodeSource <a@nodesource.com>"))));
    }

    [Fact]
    public async Task Lock_files_and_owned_files_count_when_they_are_asked_for()
    {
        var layer = await ReadAsync(Tar(
            ("app/package-lock.json", """{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0"}}}"""),
            ("app/Cargo.lock", "[[package]]\nname = \"b\"\nversion = \"2.0.0\"\n"),
            ("lib/apk/db/installed", "P:c\nV:3.0-r0\nF:usr/lib\nR:package.json\n\n"),
            ("usr/lib/package.json", Lodash)));
        Assert.Equal(["a", "b", "c"], Names(ImageInventory.Join([layer])));
        Assert.Equal(["b", "c"], Names(ImageInventory.Join([layer], PackageSources.WithoutLocks)));
        Assert.Equal(["lodash"], Names(ImageInventory.Join([layer], PackageSources.Installed | PackageSources.Owned)));
    }

    [Fact]
    public async Task A_stored_inventory_of_another_format_is_not_used()
    {
        var layer = await ReadAsync(Tar(("a/package.json", Lodash)));
        Assert.NotNull(LayerInventoryJson.Read(LayerInventoryJson.Write(layer)));
        Assert.Null(LayerInventoryJson.Read(LayerInventoryJson.Write(layer with { Format = LayerInventory.CurrentFormat + 1 })));
        Assert.Null(LayerInventoryJson.Read(new byte[] { 1, 2, 3 }));
    }

    internal static byte[] Tar(params (string Path, string Content)[] files) => Build(tar =>
    {
        foreach (var (path, content) in files) tar.WriteEntry(File(path, content));
    });

    private static PaxTarEntry File(string path, string content) => new(TarEntryType.RegularFile, path) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)) };

    private static byte[] Build(Action<TarWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var tar = new TarWriter(buffer, TarEntryFormat.Pax, leaveOpen: true)) write(tar);
        return buffer.ToArray();
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest)) gzip.Write(bytes);
        return buffer.ToArray();
    }

    private static Task<LayerInventory> ReadAsync(byte[] layer, LayerLimits? limits = null) =>
        new LayerWalker(AnalyzerSet.All, limits ?? LayerLimits.Default).ReadAsync(_ => ValueTask.FromResult<Stream>(new MemoryStream(layer)), TestContext.Current.CancellationToken);

    private static async Task<ImageInventory> JoinAsync(params (string, string)[][] layers)
    {
        var read = new List<LayerInventory>();
        foreach (var layer in layers) read.Add(await ReadAsync(Tar(layer)));
        return ImageInventory.Join(read);
    }

    private static List<string> Names(ImageInventory image) => [.. image.Packages.Select(package => package.Name).Order(StringComparer.Ordinal)];
}
