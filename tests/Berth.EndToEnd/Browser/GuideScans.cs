using System.Text;
using System.Text.Json.Nodes;
using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Browser;

/// <summary>Images with packages that have known flaws, and the advisories that say so: few, and as they were published.</summary>
internal sealed class GuideScans(RegistryAndShell on, string folder, CancellationToken ct)
{
    private static readonly (string Id, string Package, string Before, string Vector, string Text)[] s_npm =
    [
        ("CVE-2021-44906", "minimist", "1.2.6", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "Prototype pollution in the function that sets a key."),
        ("CVE-2021-23337", "lodash", "4.17.21", "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H", "Command injection by the template function."),
        ("CVE-2020-28500", "lodash", "4.17.21", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L", "A regular expression that takes long, in toNumber and trim."),
        ("CVE-2023-45857", "axios", "1.6.0", "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:N/A:N", "The token against forged requests is sent to other hosts too."),
        ("CVE-2022-24999", "qs", "6.9.7", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "Prototype pollution that stops the process."),
        ("CVE-2024-29041", "express", "4.19.2", "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "A redirect that leads elsewhere for malformed addresses."),
    ];

    private static readonly (string Id, string Package, string? Fixed, string Vector, string Text)[] s_debian =
    [
        ("CVE-2023-5678", "openssl", "3.0.13-1~deb12u1", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L", "Checking an overly long DH key takes long."),
        ("CVE-2023-38545", "curl", "7.88.1-10+deb12u4", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "Overflow of a heap buffer in the SOCKS5 handshake."),
        ("CVE-2023-45853", "zlib", null, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "Integer overflow in MiniZip with long names of files."),
        ("CVE-2010-4756", "glibc", null, "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:L", "Expansion of file names takes much memory."),
    ];

    private readonly OciLayoutWriter layout = new(folder);

    /// <summary>Builds the advisory database of the registry with <c>berth db build</c>.</summary>
    public async Task UseAdvisories()
    {
        var lines = s_npm.Select(a => Advisory(a.Id, "npm", a.Package, a.Before, a.Vector, a.Text)).Concat(s_debian.Select(a => Advisory(a.Id, "Debian:12", a.Package, a.Fixed, a.Vector, a.Text)));
        await File.WriteAllTextAsync(on.Shell.Folder.File("advisories", "osv.jsonl"), string.Join('\n', lines) + "\n", ct);
        await on.Shell.Run(RegistryUnderTest.BerthBinary(), "db", "build", "advisories", "--db", Path.Combine(on.Registry.DataFolder, "advisories"));
    }

    /// <summary>The image that others are built on.</summary>
    public ContentReference Base(string architecture = "amd64") => layout.AddImage(ImageFormat.Oci, architecture, [System()]);

    /// <summary>An application with npm packages on the base.</summary>
    public ContentReference App(string architecture, params (string Name, string Version)[] packages) => layout.AddImage(
        ImageFormat.Oci, architecture,
        [
            System(),
            Layers.Gzip(layout, ImageFormat.Oci, [.. packages.Select(p => LayerFile.Text($"app/node_modules/{p.Name}/package.json", new JsonObject { ["name"] = p.Name, ["version"] = p.Version, ["license"] = "MIT" }.ToJsonString()))]),
        ],
        new JsonObject { ["Env"] = new JsonArray("NODE_ENV=production"), ["Cmd"] = new JsonArray("node", "server.js") });

    /// <summary>An index of applications.</summary>
    public ContentReference Index(params (string Architecture, ContentReference Manifest)[] images) => layout.AddIndex(ImageFormat.Oci, images);

    /// <summary>Pushes with all below it.</summary>
    public async Task Push(RegistryHttp http, string repository, string tag, ContentReference root)
    {
        var whole = new OciLayout(folder, root);
        foreach (var blob in whole.Blobs()) await http.PushBlob(repository, blob.Digest, await File.ReadAllBytesAsync(whole.BlobFile(blob.Digest), ct), ct);
        foreach (var manifest in whole.Manifests())
            await http.PushManifest(repository, manifest == root ? tag : manifest.Digest, manifest.MediaType, await File.ReadAllBytesAsync(whole.BlobFile(manifest.Digest), ct), ct);
    }

    /// <summary>Scans all images, and waits for the end.</summary>
    public async Task ScanAll()
    {
        var api = new ManagementApi(on.Address);
        await api.Call(HttpMethod.Post, "/api/v2.0/system/scanAll/schedule", """{"schedule":{"type":"Manual"}}""", ct);
        for (var i = 0; i < 600; i++)
        {
            var metrics = (await api.Call(HttpMethod.Get, "/api/v2.0/scans/all/metrics", null, ct))!;
            if (metrics["total"]!.GetValue<long>() > 0 && !metrics["ongoing"]!.GetValue<bool>()) return;
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, ct);
        }
        Assert.Fail("scanning all images has not ended within a minute");
    }

    // What Debian's package manager leaves behind.
    private Layer System()
    {
        var status = new StringBuilder();
        foreach (var (name, source, version) in (ValueTuple<string, string, string>[])[("libssl3", "openssl", "3.0.11-1~deb12u2"), ("libcurl4", "curl", "7.88.1-10"), ("zlib1g", "zlib", "1:1.2.13.dfsg-1"), ("libc6", "glibc", "2.36-9+deb12u3"), ("tzdata", "tzdata", "2023c-5")])
            status.Append($"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nSource: {source}\nVersion: {version}\n\n");
        return Layers.Gzip(layout, ImageFormat.Oci,
            LayerFile.Text("etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nID=debian\n"),
            LayerFile.Text("etc/debian_version", "12.5\n"), LayerFile.Text("var/lib/dpkg/status", status.ToString()));
    }

    private static string Advisory(string id, string ecosystem, string package, string? repaired, string vector, string text)
    {
        var events = new JsonArray(new JsonObject { ["introduced"] = "0" });
        if (repaired is not null) events.Add(new JsonObject { ["fixed"] = repaired });
        return new JsonObject
        {
            ["schema_version"] = "1.6.0",
            ["id"] = id,
            ["modified"] = "2026-11-20T00:00:00Z",
            ["published"] = "2024-01-01T00:00:00Z",
            ["summary"] = text,
            ["details"] = text,
            ["severity"] = new JsonArray(new JsonObject { ["type"] = "CVSS_V3", ["score"] = vector }),
            ["affected"] = new JsonArray(new JsonObject
            {
                ["package"] = new JsonObject { ["ecosystem"] = ecosystem, ["name"] = package },
                ["ranges"] = new JsonArray(new JsonObject { ["type"] = "ECOSYSTEM", ["events"] = events }),
            }),
        }.ToJsonString();
    }
}
