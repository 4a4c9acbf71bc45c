using System.Runtime.InteropServices;

namespace Berth.Client;

/// <summary>Operating system and processor that an image is for (OCI image spec, image-index.md, "platform").</summary>
/// <param name="Os">Such as <c>linux</c>.</param>
/// <param name="Architecture">Such as <c>amd64</c>, in Go's words.</param>
/// <param name="Variant">Such as <c>v7</c>; empty when none is named.</param>
public sealed record ImagePlatform(string Os, string Architecture, string Variant = "")
{
    /// <summary>That of this machine's containers.</summary>
    public static ImagePlatform OfThisMachine { get; } = new("linux", RuntimeInformation.OSArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.X86 => "386",
        System.Runtime.InteropServices.Architecture.Ppc64le => "ppc64le",
        var other => other.ToString().ToLowerInvariant(),
    });

    /// <summary>Reads <c>os/architecture</c> or <c>os/architecture/variant</c>.</summary>
    public static bool TryParse(string text, out ImagePlatform platform)
    {
        var parts = text.Split('/');
        platform = parts.Length is 2 or 3 && parts.All(static part => part.Length > 0) ? new ImagePlatform(parts[0], Named(parts[1]), parts.Length == 3 ? parts[2] : "") : OfThisMachine;
        return parts.Length is 2 or 3 && parts.All(static part => part.Length > 0);
    }

    /// <summary>How well an image of another platform fits: 0 not at all, else the more the better.</summary>
    public int FitOf(ImagePlatform image)
    {
        if (image.Os != Os || Named(image.Architecture) != Architecture) return 0;
        var (wanted, given) = (Normal(Architecture, Variant), Normal(Architecture, image.Variant));
        if (wanted == given) return image.Variant == Variant ? 100 : 99;
        // Every image of a machine fits when no variant is asked for; the plain one best.
        if (Variant.Length == 0) return given.Length == 0 ? 90 : 50;
        // A newer ARM runs the images of an older one.
        return Architecture == "arm" && string.CompareOrdinal(given, wanted) < 0 ? 20 + (given.Length > 1 ? given[1] - '0' : 0) : given.Length == 0 ? 10 : 0;
    }

    public override string ToString() => Variant.Length > 0 ? $"{Os}/{Architecture}/{Variant}" : $"{Os}/{Architecture}";

    private static string Named(string architecture) => architecture switch { "x86_64" or "x86-64" => "amd64", "aarch64" => "arm64", "i386" => "386", _ => architecture };

    // What variants say that need not be said.
    private static string Normal(string architecture, string variant) => (architecture, variant) switch { ("arm64", "v8") => "", ("arm", "") => "v7", ("amd64", "v1") => "", _ => variant };
}
