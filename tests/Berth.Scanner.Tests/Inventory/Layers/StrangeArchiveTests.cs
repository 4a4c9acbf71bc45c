using System.Text;
using Berth.Scanner.Inventory;
using Berth.Scanner.Inventory.Analyzers;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Tests.Inventory.Layers;

/// <summary>Forms of archives and changes between layers that are seldom and valid.</summary>
public sealed class StrangeArchiveTests
{
    private static readonly byte[] A = Package("a", "1.0.0");

    [Fact]
    public async Task An_old_sparse_file_is_read_with_its_holes()
    {
        var text = Encoding.UTF8.GetString(A);
        var stored = A.Length;
        // Blanks are no holes: the file is cut into pieces with zeros behind, which JSON does not mind as long as nothing follows.
        var layer = await ReadAsync(TarBytes.Archive(
            TarBytes.OldSparse("a/package.json", stored, A, [.. Enumerable.Range(0, stored).Select(i => ((long)i, 1L))]),
            TarBytes.Entry("b/package.json", text)));
        Assert.Equal(["a 1.0.0 a/package.json", "a 1.0.0 b/package.json"], Lines(layer));
    }

    [Theory]
    [InlineData("0.0")]
    [InlineData("0.1")]
    [InlineData("1.0")]
    public async Task Sparse_files_of_pax_are_read_with_their_holes(string version)
    {
        // The release file's first half is a hole: zeros before the first line end, then the fields.
        var stored = "\nID=debian\nVERSION_ID=12\n"u8.ToArray();
        byte[][] entry = version switch
        {
            "0.0" =>
            [
                TarBytes.Pax(("GNU.sparse.size", $"{4096 + stored.Length}"), ("GNU.sparse.numblocks", "1"), ("GNU.sparse.offset", "4096"), ("GNU.sparse.numbytes", $"{stored.Length}")),
                TarBytes.Entry("etc/os-release", stored),
            ],
            "0.1" =>
            [
                TarBytes.Pax(("GNU.sparse.size", $"{4096 + stored.Length}"), ("GNU.sparse.numblocks", "1"), ("GNU.sparse.map", $"4096,{stored.Length}"), ("GNU.sparse.name", "etc/os-release")),
                TarBytes.Entry("GNUSparseFile.0/os-release", stored),
            ],
            _ =>
            [
                TarBytes.Pax(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "etc/os-release"), ("GNU.sparse.realsize", $"{4096 + stored.Length}")),
                TarBytes.Entry("GNUSparseFile.0/os-release", [.. Encoding.ASCII.GetBytes($"1\n4096\n{stored.Length}\n".PadRight(512, '\0')), .. stored]),
            ],
        };
        var layer = await ReadAsync(TarBytes.Archive([.. entry, TarBytes.Entry("b/package.json", A)]));
        Assert.Equal(["a 1.0.0 b/package.json"], Lines(layer));
        Assert.Equal(new Distribution("debian", "12"), ImageInventory.Join([layer]).Distribution);
    }

    [Fact]
    public async Task Holes_beyond_all_measure_cost_nothing()
    {
        var entry = TarBytes.OldSparse("a/package.json", 1L << 32, A, (0, A.Length));
        var layer = await ReadAsync(TarBytes.Archive([.. Enumerable.Repeat(entry, 200), TarBytes.Entry("b/package.json", A)]));
        Assert.Equal(["a 1.0.0 b/package.json"], Lines(layer));
        Assert.NotEmpty(layer.Problems);
    }

    [Theory]
    [InlineData(10, 5, 10)]
    [InlineData(0, 31, 20)]
    [InlineData(long.MaxValue, 31, 20)]
    public async Task A_broken_map_of_a_sparse_file_is_refused(long offset, long length, long size)
    {
        await Assert.ThrowsAsync<LayerRefusedException>(() => ReadAsync(TarBytes.Archive(
            TarBytes.Pax(("GNU.sparse.map", $"{offset},{length}"), ("GNU.sparse.size", $"{size}")), TarBytes.Entry("a/package.json", A))));
    }

    [Fact]
    public async Task Sizes_in_base_256_and_links_with_a_size_are_read()
    {
        var layer = await ReadAsync(TarBytes.Archive(
            TarBytes.Entry("a/package.json", A, change: static header =>
            {
                header.AsSpan(124, 12).Clear();
                header[124] = 0x80;
                header[135] = (byte)A.Length;
            }),
            TarBytes.Entry("link", [], '2', "a", static header => Encoding.ASCII.GetBytes("00000001000\0").CopyTo(header, 124)),
            TarBytes.Entry("b/package.json", Package("b", "2.0.0"))));
        Assert.Equal(["a 1.0.0 a/package.json", "b 2.0.0 b/package.json"], Lines(layer));
    }

    [Fact]
    public async Task Global_headers_name_no_file_and_later_ones_win()
    {
        var global = TarBytes.Pax(("path", "wrong/package.json"), ("comment", "0123456789"));
        global[156] = (byte)'g';
        TarBytes.Sum(global.AsSpan(0, 512));
        var layer = await ReadAsync(TarBytes.Archive(global, TarBytes.Pax(("path", "ä/package.json"), ("mtime", "1.5")), TarBytes.Entry("x", A)));
        Assert.Equal(["a 1.0.0 ä/package.json"], Lines(layer));
    }

    [Fact]
    public async Task An_archive_without_the_rest_of_its_last_block_is_read()
    {
        var whole = TarBytes.Entry("a/package.json", A);
        Assert.Equal(["a 1.0.0 a/package.json"], Lines(await ReadAsync(whole[..(512 + A.Length)])));
    }

    [Fact]
    public async Task A_hard_link_to_a_file_of_a_lower_layer_is_that_file()
    {
        var lower = await ReadAsync(TarBytes.Archive(TarBytes.Entry("store/package.json", A)));
        var upper = await ReadAsync(TarBytes.Archive(TarBytes.Entry("app/package.json", [], '1', "store/package.json"), TarBytes.Entry("app/other.txt", [], '1', "store/package.json")));
        var image = ImageInventory.Join([lower, LayerInventoryJson.Read(LayerInventoryJson.Write(upper))!]);
        Assert.Equal(["app/package.json", "store/package.json"], image.Packages.Select(package => package.Path).Order(StringComparer.Ordinal));
        Assert.Equal(upper.DiffId, image.Packages.Single(package => package.Path == "app/package.json").Layer);
    }

    [Fact]
    public async Task A_file_takes_the_place_of_a_directory_and_a_directory_that_of_a_file()
    {
        var metadata = "Name: x\nVersion: 1.0\n"u8.ToArray();
        var directory = await ReadAsync(TarBytes.Archive(TarBytes.Entry("lib/x.egg-info/PKG-INFO", metadata)));
        var file = await ReadAsync(TarBytes.Archive(TarBytes.Entry("lib/x.egg-info", "Name: x\nVersion: 2.0\n")));
        Assert.Equal(["x 2.0"], Versions(directory, file));
        Assert.Equal(["x 1.0"], Versions(file, directory));
        var empty = await ReadAsync(TarBytes.Archive(TarBytes.Entry("lib/x.egg-info/", [], '5')));
        Assert.Empty(Versions(file, empty));
        Assert.Equal(["x 1.0"], Versions(directory, empty));
        Assert.Empty(Versions(directory, await ReadAsync(TarBytes.Archive(TarBytes.Entry("lib", "text")))));
    }

    [Theory]
    [InlineData("usr/bin/tool")]
    [InlineData("usr/bin/tool.bin")]
    [InlineData("opt/tool-1.2")]
    public async Task A_program_that_a_script_replaces_is_gone(string path)
    {
        var program = Analyzers.ProgramBytes.Elf([new(".go.buildinfo", Analyzers.ProgramBytes.GoInline("go1.22.1", "mod\tx.org/a\tv1.0.0\th1:x\n"))]);
        var lower = await ReadAsync(TarBytes.Archive(TarBytes.Entry(path, program)));
        Assert.Equal(["stdlib 1.22.1", "x.org/a 1.0.0"], Versions(lower));
        Assert.Empty(Versions(lower, await ReadAsync(TarBytes.Archive(TarBytes.Entry(path, "#!/bin/sh\n")))));
        Assert.Empty(Versions(lower, await ReadAsync(TarBytes.Archive(TarBytes.Entry(path, [])))));
        Assert.Empty(Versions(lower, await ReadAsync(TarBytes.Archive(TarBytes.Entry(path, [], '2', "/bin/sh")))));
        Assert.Empty(Versions(lower, await ReadAsync(TarBytes.Archive(TarBytes.Entry(path, [], '3')))));
    }

    [Fact]
    public async Task A_directory_that_was_renamed_keeps_its_packages_under_the_new_name_only()
    {
        var lower = await ReadAsync(TarBytes.Archive(TarBytes.Entry("old/node_modules/a/package.json", A)));
        var upper = await ReadAsync(TarBytes.Archive(TarBytes.Entry(".wh.old", []), TarBytes.Entry("new/node_modules/a/package.json", A)));
        Assert.Equal("new/node_modules/a/package.json", Assert.Single(ImageInventory.Join([lower, upper]).Packages).Path);
    }

    [Fact]
    public async Task An_opaque_root_hides_all_that_is_below_and_what_comes_with_it_stays()
    {
        var lower = await ReadAsync(TarBytes.Archive(TarBytes.Entry("a/package.json", A), TarBytes.Entry("b/package.json", A)));
        var upper = await ReadAsync(TarBytes.Archive(TarBytes.Entry("b/package.json", Package("b", "2.0.0")), TarBytes.Entry(".wh..wh..opq", [])));
        Assert.Equal(["b 2.0.0"], Versions(lower, upper));
    }

    private static List<string> Versions(params LayerInventory[] layers) =>
        [.. ImageInventory.Join(layers).Packages.Select(package => package.Name + " " + package.Version).Order(StringComparer.Ordinal)];

    private static List<string> Lines(LayerInventory layer) =>
        [.. ImageInventory.Join([layer]).Packages.Select(package => $"{package.Name} {package.Version} {package.Path}").Order(StringComparer.Ordinal)];

    private static byte[] Package(string name, string version) => Encoding.UTF8.GetBytes($$"""{"name":"{{name}}","version":"{{version}}"}""");

    private static Task<LayerInventory> ReadAsync(byte[] layer) =>
        new LayerWalker(AnalyzerSet.All, LayerLimits.Default).ReadAsync(_ => ValueTask.FromResult<Stream>(new MemoryStream(layer)), TestContext.Current.CancellationToken);
}
