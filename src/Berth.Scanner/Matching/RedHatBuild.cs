using System.Buffers;
using System.Text;
using System.Text.Json;
using Berth.Scanner.Advisories;

namespace Berth.Scanner.Matching;

/// <summary>What Red Hat's build system leaves in an image below <c>root/buildinfo</c>: which content sets it was built from, or at least which image it is.</summary>
public static class RedHatBuild
{
    /// <summary>Folder of the manifests, one JSON file a layer.</summary>
    public const string ManifestFolder = "root/buildinfo/content_manifests/";

    /// <summary>Folder of the manifests in newer images.</summary>
    public const string SharedFolder = "usr/share/buildinfo/";

    /// <summary>What the names of the Dockerfiles begin with.</summary>
    public const string DockerfilePrefix = "root/buildinfo/Dockerfile-";

    private const int MaxBytes = 16 * 1024 * 1024;

    private static readonly SearchValues<char> ValueEnds = SearchValues.Create(" \t\r\n\\");

    /// <summary>The content sets of a manifest, for <see cref="MatchSubject.ContentSets"/>; null when it names none.</summary>
    public static IReadOnlyList<string>? ContentSets(ReadOnlyMemory<byte> manifest)
    {
        if (manifest.Length > MaxBytes)
            return null;
        try
        {
            using var document = JsonDocument.Parse(manifest, JsonText.Options);
            return document.RootElement.Texts("content_sets") is { Length: > 0 } sets ? sets : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>
    /// Name, version, release and architecture of the image, for <see cref="MatchSubject.Nvr"/>, out of the labels of a Dockerfile and the end of its name
    /// (<c>Dockerfile-ubi7-7.7-140</c>); empty when they do not say.
    /// </summary>
    public static string Nvr(string path, ReadOnlySpan<byte> dockerfile)
    {
        var text = Encoding.UTF8.GetString(dockerfile[..Math.Min(dockerfile.Length, MaxBytes)]);
        string component = Label(text, "com.redhat.component"), architecture = Label(text, "architecture");
        var parts = path[(path.LastIndexOf('/') + 1)..].Split('-');
        return component.Length == 0 || architecture.Length == 0 || parts.Length < 4 ? "" : $"{component}-{parts[^2]}-{parts[^1]}-{architecture}";
    }

    /// <summary>The value of a label, quoted or not.</summary>
    private static string Label(string text, string name)
    {
        for (var at = text.IndexOf(name, StringComparison.Ordinal); at >= 0; at = text.IndexOf(name, at + 1, StringComparison.Ordinal))
        {
            var rest = text.AsSpan(at + name.Length).TrimStart('"');
            if (rest.IsEmpty || rest[0] != '=' || (at > 0 && (char.IsAsciiLetterOrDigit(text[at - 1]) || text[at - 1] is '.' or '-' or '_')))
                continue;
            rest = rest[1..];
            if (!rest.IsEmpty && rest[0] == '"')
            {
                rest = rest[1..];
                var quote = rest.IndexOf('"');
                return quote < 0 ? "" : rest[..quote].ToString();
            }
            var end = rest.IndexOfAny(ValueEnds);
            return (end < 0 ? rest : rest[..end]).ToString();
        }
        return "";
    }
}
