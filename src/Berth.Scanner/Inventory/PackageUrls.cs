using System.Text;
using Berth.Scanner.Inventory.Analyzers.Rpm;

namespace Berth.Scanner.Inventory;

/// <summary>A package URL in its parts (purl specification), decoded.</summary>
/// <param name="Type">Type in small letters, such as <c>npm</c>.</param>
/// <param name="Namespace">Namespace with <c>/</c> between its parts; empty when there is none.</param>
/// <param name="Name">Name.</param>
/// <param name="Version">Version; empty when there is none.</param>
/// <param name="Qualifiers">Qualifiers by name.</param>
/// <param name="Subpath">Subpath; empty when there is none.</param>
public sealed record PackageUrl(string Type, string Namespace, string Name, string Version, IReadOnlyDictionary<string, string> Qualifiers, string Subpath)
{
    /// <summary>The canonical text.</summary>
    public override string ToString()
    {
        var text = new StringBuilder("pkg:").Append(Type).Append('/');
        foreach (var part in Namespace.Split('/', StringSplitOptions.RemoveEmptyEntries)) text.Append(PackageUrls.Encode(part)).Append('/');
        text.Append(PackageUrls.Encode(Name));
        if (Version.Length > 0) text.Append('@').Append(PackageUrls.Encode(Version));
        var mark = '?';
        foreach (var (key, value) in Qualifiers.Where(one => one.Value.Length > 0).OrderBy(one => one.Key, StringComparer.Ordinal))
        {
            text.Append(mark).Append(key).Append('=').Append(PackageUrls.Encode(value));
            mark = '&';
        }
        if (Subpath.Length > 0) text.Append('#').AppendJoin('/', Subpath.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(PackageUrls.Encode));
        return text.ToString();
    }
}

/// <summary>Package URLs of packages, and packages of package URLs.</summary>
public static class PackageUrls
{
    private static readonly Dictionary<string, PackageType> Types = new(StringComparer.Ordinal)
    {
        ["deb"] = PackageType.Dpkg,
        ["apk"] = PackageType.Apk,
        ["rpm"] = PackageType.Rpm,
        ["npm"] = PackageType.Npm,
        ["pypi"] = PackageType.PyPi,
        ["maven"] = PackageType.Maven,
        ["nuget"] = PackageType.NuGet,
        ["golang"] = PackageType.Go,
        ["cargo"] = PackageType.Cargo,
        ["gem"] = PackageType.RubyGems,
        ["composer"] = PackageType.Composer,
        ["pub"] = PackageType.Pub,
        ["swift"] = PackageType.Swift,
        ["cocoapods"] = PackageType.CocoaPods,
        ["conan"] = PackageType.Conan,
        ["hex"] = PackageType.Hex,
        ["julia"] = PackageType.Julia,
        ["bitnami"] = PackageType.Bitnami,
        ["k8s"] = PackageType.Kubernetes,
    };

    private static readonly Dictionary<PackageType, string> Names = Types.ToDictionary(one => one.Value, one => one.Key);

    /// <summary>Package URL of a package.</summary>
    /// <param name="package">The package.</param>
    /// <param name="distribution">Distribution of its image, for system packages.</param>
    public static string Of(Package package, Distribution? distribution = null)
    {
        var qualifiers = new Dictionary<string, string>(StringComparer.Ordinal);
        var version = package.Version;
        var (space, name) = Split(package);
        var subpath = "";
        switch (package.Type)
        {
            case PackageType.Dpkg or PackageType.Apk or PackageType.Rpm:
                space = Namespace(package.Type, distribution);
                if (package.Type == PackageType.Rpm && package.Release.Length > 0) version += "-" + package.Release;
                qualifiers["arch"] = package.Architecture;
                qualifiers["epoch"] = package.Epoch == 0 ? "" : package.Epoch.ToString();
                qualifiers["modularitylabel"] = package.Modularity;
                if (distribution is not null) qualifiers["distro"] = package.Type == PackageType.Apk ? distribution.Version : distribution.Family + (distribution.Version.Length > 0 ? "-" + distribution.Version : "");
                break;
            case PackageType.CocoaPods when space.Length > 0:
                var slash = package.Name.IndexOf('/');
                (space, name, subpath) = ("", package.Name[..slash], package.Name[(slash + 1)..]);
                break;
            case PackageType.Go when version == "(devel)":
                version = "";
                break;
            case PackageType.Kubernetes:
                (space, name) = ("", package.Name);
                break;
            case PackageType.Bitnami:
                qualifiers["arch"] = package.Architecture;
                break;
        }
        return new PackageUrl(Names.GetValueOrDefault(package.Type, "generic"), space, name, version, qualifiers, subpath).ToString();
    }

    /// <summary>Takes a package URL apart; null when it is none.</summary>
    public static PackageUrl? Parse(string text)
    {
        if (text.Length > 8192 || !text.StartsWith("pkg:", StringComparison.OrdinalIgnoreCase)) return null;
        var rest = text[4..].TrimStart('/');
        var subpath = "";
        if (rest.LastIndexOf('#') is var hash and >= 0) (rest, subpath) = (rest[..hash], Decode(rest[(hash + 1)..].Trim('/')));
        var qualifiers = new Dictionary<string, string>(StringComparer.Ordinal);
        if (rest.IndexOf('?') is var question and >= 0)
        {
            foreach (var pair in rest[(question + 1)..].Split('&'))
                if (pair.IndexOf('=') is var equals and > 0 && equals < pair.Length - 1) qualifiers[pair[..equals].ToLowerInvariant()] = Decode(pair[(equals + 1)..]);
            rest = rest[..question];
        }
        var version = "";
        // The @ of an npm scope is written %40, but not by everyone: only one behind the last slash starts the version.
        if (rest.LastIndexOf('@') is var at and > 0 && at > rest.LastIndexOf('/') + 1) (rest, version) = (rest[..at], Decode(rest[(at + 1)..]));
        var parts = rest.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length < 2 || !parts[0].All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '+' or '-')) return null;
        return new PackageUrl(parts[0].ToLowerInvariant(), string.Join('/', parts[1..^1].Select(Decode)), Decode(parts[^1]), version, qualifiers, subpath);
    }

    /// <summary>The package that a package URL names; a type that is not known gives <see cref="PackageType.Other"/>.</summary>
    public static Package ToPackage(PackageUrl url)
    {
        var type = Types.GetValueOrDefault(url.Type, PackageType.Other);
        var name = type switch
        {
            PackageType.Dpkg or PackageType.Apk or PackageType.Rpm => url.Name,
            PackageType.Maven => url.Namespace.Length == 0 ? url.Name : url.Namespace + ":" + url.Name,
            PackageType.CocoaPods when url.Subpath.Length > 0 => url.Name + "/" + url.Subpath,
            PackageType.Go when url.Subpath.Length > 0 && url.Namespace.Length == 0 => url.Name,
            _ => url.Namespace.Length == 0 ? url.Name : url.Namespace + "/" + url.Name,
        };
        var version = url.Version;
        var release = "";
        if (type == PackageType.Rpm && version.LastIndexOf('-') is var dash and > 0) (version, release) = (version[..dash], version[(dash + 1)..]);
        if (type == PackageType.Go) version = version.TrimStart('v');
        var epoch = int.TryParse(url.Qualifiers.GetValueOrDefault("epoch"), System.Globalization.NumberStyles.None, null, out var number) ? number : 0;
        if (type is PackageType.Dpkg or PackageType.Rpm && version.IndexOf(':') is var colon and > 0 && int.TryParse(version.AsSpan(0, colon), System.Globalization.NumberStyles.None, null, out number))
            (epoch, version) = (number, version[(colon + 1)..]);
        return WithSource(new Package(type, name, version)
        {
            Release = release,
            Epoch = epoch,
            Architecture = url.Qualifiers.GetValueOrDefault("arch", ""),
            Modularity = url.Qualifiers.GetValueOrDefault("modularitylabel", ""),
            Namespace = type is PackageType.Dpkg or PackageType.Apk or PackageType.Rpm ? url.Namespace : "",
        }, url.Qualifiers.GetValueOrDefault("upstream") ?? url.Qualifiers.GetValueOrDefault("source") ?? "");
    }

    /// <summary>Whether a namespace in package URLs is, or may be, that of the distribution: one that nobody knows may be any.</summary>
    internal static bool MayBeOf(Distribution distribution, string space) =>
        space.Length == 0 || DistributionRules.FamilyOf(space) is not { } family || Group(family) == Group(distribution.Family);

    // Releases of one publisher share a namespace.
    private static string Group(string family) => family == "centos-stream" ? "centos" : Namespace(PackageType.Rpm, new Distribution(family, ""));

    // "upstream" and "source" are what others write: "name" or "name@version", for rpm the file of the source package.
    private static Package WithSource(Package package, string upstream)
    {
        if (upstream.Length == 0) return package;
        if (upstream.EndsWith(".src.rpm", StringComparison.Ordinal)) return RpmSource.Apply(package, upstream);
        if (upstream.IndexOf('@') is not (var at and > 0)) return package with { SourceName = upstream };
        var own = (package.Epoch == 0 ? "" : package.Epoch + ":") + package.Version;
        return package with { SourceName = upstream[..at], SourceVersion = upstream[(at + 1)..] == own ? "" : upstream[(at + 1)..] };
    }

    private static (string Space, string Name) Split(Package package)
    {
        var name = package.Type switch
        {
            PackageType.PyPi => package.Name.ToLowerInvariant().Replace('_', '-'),
            PackageType.Go or PackageType.Composer or PackageType.Hex => package.Name.ToLowerInvariant(),
            PackageType.Maven => package.Name.Replace(':', '/'),
            _ => package.Name,
        };
        var slash = name.LastIndexOf('/');
        return slash < 0 ? ("", name) : (name[..slash], name[(slash + 1)..]);
    }

    private static string Namespace(PackageType type, Distribution? distribution) => (type, distribution?.Family) switch
    {
        (_, null) => type switch { PackageType.Dpkg => "debian", PackageType.Apk => "alpine", _ => "redhat" },
        (PackageType.Rpm, "sles" or "slem") => "suse",
        (PackageType.Rpm, "opensuse-leap" or "opensuse-tumbleweed") => "opensuse",
        (_, var family) => family,
    };

    internal static string Encode(string part)
    {
        var text = new StringBuilder(part.Length);
        foreach (var b in Encoding.UTF8.GetBytes(part))
        {
            if (char.IsAsciiLetterOrDigit((char)b) || b is (byte)'-' or (byte)'.' or (byte)'_' or (byte)'~' or (byte)':') text.Append((char)b);
            else text.Append('%').Append(b.ToString("X2"));
        }
        return text.ToString();
    }

    private static string Decode(string part) => Uri.UnescapeDataString(part);
}
