using System.Net;
using Berth.Oci;

namespace Berth.Client;

/// <summary>
/// A repository of a registry with a tag, a digest or both, as people write it: <c>debian</c>, <c>shop/web:1</c>, <c>localhost:5000/x:1@sha256:…</c>. What is left out is
/// what Docker takes: the registry <c>docker.io</c>, there the folder <c>library/</c>, the tag <c>latest</c>.
/// </summary>
public sealed record ImageReference
{
    /// <summary>Docker Hub, as names have it.</summary>
    public const string DockerHub = "docker.io";

    private const string DockerHubIndex = "index.docker.io";
    private const string DockerHubFolder = "library/";
    private const string DefaultTag = "latest";
    private const int MaxLength = 1024;
    private const int HexIdLength = 64;

    private ImageReference(string registry, RepositoryName repository, TagName? tag, Digest? digest) => (Registry, Repository, Tag, Digest) = (registry, repository, tag, digest);

    /// <summary>Name of the registry, with its port where one is named: <c>docker.io</c>, <c>localhost:5000</c>, <c>[::1]:5000</c>.</summary>
    public string Registry { get; }

    public RepositoryName Repository { get; }

    /// <summary>The tag that is named, else <c>latest</c>; null when a digest is named alone.</summary>
    public TagName? Tag { get; private init; }

    /// <summary>The digest that is named; null when none is. It wins over the tag.</summary>
    public Digest? Digest { get; private init; }

    /// <summary>What stands for the manifest in a URL: the digest, else the tag.</summary>
    public string Reference => Digest?.Value ?? Tag?.Value ?? DefaultTag;

    /// <summary>Registry and repository.</summary>
    public string Name => $"{Registry}/{Repository}";

    /// <summary>Whether the registry is on this machine.</summary>
    public bool IsLoopback => IsLoopbackHost(Registry);

    /// <summary>The same repository, by digest.</summary>
    public ImageReference With(Digest digest) => this with { Digest = digest, Tag = null };

    /// <summary>The same repository, by tag.</summary>
    public ImageReference With(TagName tag) => this with { Digest = null, Tag = tag };

    /// <summary>Reads a reference that is known to be one.</summary>
    /// <exception cref="FormatException">It is none; the message says why.</exception>
    public static ImageReference Parse(string text) => TryParse(text, out var reference, out var error) ? reference : throw new FormatException(error);

    /// <summary>Reads a reference.</summary>
    /// <param name="text">As people write it.</param>
    /// <param name="reference">What was read.</param>
    /// <param name="error">What is wrong with it.</param>
    public static bool TryParse(string text, out ImageReference reference, out string error)
    {
        reference = null!;
        if (text.Length is 0 or > MaxLength) return Wrong(text.Length == 0 ? "the reference is empty" : "the reference is too long", out error);
        var rest = text;
        Digest? digest = null;
        if (rest.IndexOf('@', StringComparison.Ordinal) is >= 0 and var at)
        {
            if (!Oci.Digest.TryParse(rest[(at + 1)..], out var parsed)) return Wrong($"\"{text}\" has no valid digest behind the @", out error);
            (digest, rest) = (parsed, rest[..at]);
        }
        TagName? tag = null;
        if (rest.LastIndexOf(':') is >= 0 and var colon && colon > rest.LastIndexOf('/'))
        {
            if (!TagName.TryParse(rest[(colon + 1)..], out var parsed)) return Wrong($"\"{text}\" has no valid tag behind the colon", out error);
            (tag, rest) = (parsed, rest[..colon]);
        }
        // An id of an image is no name; Docker refuses it too.
        if (rest.Length == HexIdLength && rest.All(char.IsAsciiHexDigitLower)) return Wrong($"\"{text}\" is an id, not a name", out error);
        var (registry, path) = Split(rest);
        if (registry is not null && !IsHost(registry)) return Wrong($"\"{registry}\" is no name of a registry", out error);
        if (registry is null or DockerHubIndex) registry = DockerHub;
        if (registry == DockerHub && !path.Contains('/', StringComparison.Ordinal)) path = DockerHubFolder + path;
        if (!RepositoryName.TryParse(path, out var repository)) return Wrong($"\"{path}\" is no name of a repository: small letters, digits, and . _ - / between them", out error);
        if (digest is null && tag is null && TagName.TryParse(DefaultTag, out var latest)) tag = latest;
        reference = new ImageReference(registry, repository, tag, digest);
        error = "";
        return true;
    }

    public override string ToString() => $"{Name}{(Tag is { } tag ? $":{tag}" : "")}{(Digest is { } digest ? $"@{digest}" : "")}";

    // The first part is a registry when it cannot be a folder: it has a dot, a colon or a capital letter, or is localhost.
    private static (string? Registry, string Path) Split(string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0) return (null, name);
        var first = name[..slash];
        return first == "localhost" || first.AsSpan().IndexOfAny('.', ':') >= 0 || first.Any(char.IsAsciiLetterUpper) ? (first, name[(slash + 1)..]) : (null, name);
    }

    private static bool IsHost(string text)
    {
        var (host, port) = HostAndPort(text);
        if (port is not null && (port.Length is 0 or > 5 || !port.All(char.IsAsciiDigit) || int.Parse(port, System.Globalization.CultureInfo.InvariantCulture) > 65535)) return false;
        if (host.StartsWith('[')) return host.EndsWith(']') && IPAddress.TryParse(host[1..^1], out _);
        return host.Length is > 0 and <= 253 && host.Split('.').All(static part =>
            part.Length > 0 && part[0] != '-' && part[^1] != '-' && part.All(static c => char.IsAsciiLetterOrDigit(c) || c == '-'));
    }

    private static (string Host, string? Port) HostAndPort(string text)
    {
        var colon = text.LastIndexOf(':');
        return colon < 0 || text.EndsWith(']') ? (text, null) : (text[..colon], text[(colon + 1)..]);
    }

    private static bool IsLoopbackHost(string registry)
    {
        var host = HostAndPort(registry).Host.Trim('[', ']');
        return host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
    }

    private static bool Wrong(string message, out string error)
    {
        error = message;
        return false;
    }
}
