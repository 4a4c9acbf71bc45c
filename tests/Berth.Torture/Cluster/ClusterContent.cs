using System.Security.Cryptography;
using System.Text;
using Berth.Oci;

namespace Berth.Torture.Cluster;

/// <summary>Bytes with their digest. Large ones are made again whenever they are needed.</summary>
public sealed class Bytes
{
    private const int MostKept = 1 << 20;
    private readonly byte[]? _content;
    private readonly string _label = "";

    public Bytes(byte[] content)
    {
        (_content, Size, Digest) = (content, content.Length, Digest.Of(content));
    }

    private Bytes(string label, int size)
    {
        var content = Make(label, size);
        (_content, _label, Size, Digest) = (size <= MostKept ? content : null, label, size, Digest.Of(content));
    }

    public Digest Digest { get; }

    public int Size { get; }

    public byte[] Content => _content ?? Make(_label, Size);

    /// <summary>The same bytes for the same label.</summary>
    public static Bytes Of(string label, int size) => new(label, size);

    private static byte[] Make(string label, int size)
    {
        var content = new byte[size];
        new Random(BitConverter.ToInt32(SHA256.HashData(Encoding.UTF8.GetBytes(label)))).NextBytes(content);
        return content;
    }
}

/// <summary>Makes the content of a run: all of it follows from labels.</summary>
public sealed class ClusterContent(int seed)
{
    private const int CommonLayers = 30;
    private static readonly Bytes s_empty = new("{}"u8.ToArray());

    /// <summary>A layer that other clients push too, one of the client's own, or seldom one of several parts.</summary>
    public Bytes Layer(Random random, string label)
    {
        var dice = random.Next(100);
        if (dice < 55)
        {
            var number = random.Next(CommonLayers);
            return Bytes.Of($"{seed} common {number}", 500 + (number * number * 300));
        }
        return Bytes.Of($"{seed} {label}", dice < 98 ? random.Next(200, 60_000) : random.Next(5_500_000, 11_000_000));
    }

    /// <summary>An image's manifest.</summary>
    public static ClusterManifest Image(string repository, string label, IReadOnlyList<Bytes> layers)
    {
        var config = Encoding.UTF8.GetBytes($$$"""{"architecture":"amd64","os":"linux","author":"{{{label}}}","rootfs":{"type":"layers","diff_ids":[]}}""");
        return Manifest(repository, label, new Bytes(config), MediaTypes.OciConfig, layers, null);
    }

    /// <summary>A manifest that refers to another.</summary>
    public static ClusterManifest Referrer(string repository, string label, Bytes layer, ClusterManifest subject) =>
        Manifest(repository, label, s_empty, MediaTypes.OciEmpty, [layer], subject);

    /// <summary>A manifest of manifests.</summary>
    public static ClusterManifest Index(string repository, string label, IReadOnlyList<ClusterManifest> children)
    {
        var list = children.Select((c, n) =>
            $$$"""{{{Descriptor(c.MediaType, c.Digest, c.Content.Length)[..^1]}}},"platform":{"os":"linux","architecture":"arch{{{n}}}"}}""");
        var content = Encoding.UTF8.GetBytes(
            $$$"""{"schemaVersion":2,"mediaType":"{{{MediaTypes.OciIndex}}}","manifests":[{{{string.Join(',', list)}}}],"annotations":{"label":"{{{label}}}"}}""");
        return new ClusterManifest(repository, MediaTypes.OciIndex, content) { Children = children };
    }

    private static ClusterManifest Manifest(string repository, string label, Bytes config, string configType, IReadOnlyList<Bytes> layers, ClusterManifest? subject)
    {
        var list = layers.Select(l => Descriptor("application/vnd.oci.image.layer.v1.tar", l.Digest, l.Size));
        var about = subject is null ? "" : $"\"subject\":{Descriptor(subject.MediaType, subject.Digest, subject.Content.Length)},\"artifactType\":\"application/vnd.berth.torture\",";
        var content = Encoding.UTF8.GetBytes($$$"""
            {"schemaVersion":2,"mediaType":"{{{MediaTypes.OciManifest}}}",{{{about}}}"config":{{{Descriptor(configType, config.Digest, config.Size)}}},"layers":[{{{string.Join(',', list)}}}],"annotations":{"label":"{{{label}}}"}}
            """);
        return new ClusterManifest(repository, MediaTypes.OciManifest, content) { Blobs = [config, .. layers], Subject = subject };
    }

    private static string Descriptor(string type, Digest digest, int size) => $$"""{"mediaType":"{{type}}","digest":"{{digest}}","size":{{size}}}""";
}
