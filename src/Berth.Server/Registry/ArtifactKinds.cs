using Berth.Oci;

namespace Berth.Server.Registry;

/// <summary>What kind of thing a manifest is, in Harbor's words, and what it is to another artifact.</summary>
internal static class ArtifactKinds
{
    public const string Image = "IMAGE";
    public const string Chart = "CHART";
    public const string Cnab = "CNAB";
    public const string Wasm = "WASM";
    public const string Model = "CNAI";
    public const string Sbom = "SBOM";
    public const string Signature = "SIGNATURE";
    public const string Attestation = "ATTESTATION";
    public const string Unknown = "UNKNOWN";

    /// <summary>Accessory kinds: Harbor's words, and <c>attestation.in-toto</c>.</summary>
    public const string CosignSignature = "signature.cosign";
    public const string NotationSignature = "signature.notation";
    public const string HarborSbom = "sbom.harbor";
    public const string Nydus = "accelerator.nydus";
    public const string InTotoAttestation = "attestation.in-toto";
    public const string AnySubject = "subject.accessory";

    /// <summary>The kind of a manifest, by its artifact type or the media type of its configuration.</summary>
    public static string Of(ManifestDocument document)
    {
        var type = document.ArtifactType ?? document.Config?.MediaType ?? "";
        if (type is MediaTypes.OciConfig or "application/vnd.docker.container.image.v1+json") return LooksLikeWasm(document) ? Wasm : Image;
        if (document.IsIndex && type.Length == 0) return IsCnab(document) ? Cnab : Image;
        return type switch
        {
            "application/vnd.cncf.helm.config.v1+json" => Chart,
            "application/vnd.wasm.config.v0+json" or "application/vnd.wasm.config.v1+json" or "application/vnd.module.wasm.content.layer.v1+wasm" => Wasm,
            "application/vnd.cnab.config.v1+json" or "application/vnd.cnab.manifest.v1" => Cnab,
            "application/vnd.cncf.model.config.v1+json" or "application/vnd.cncf.model.manifest.v1+json" or "application/vnd.cnai.model.config.v1+json"
                or "application/vnd.cnai.model.manifest.v1+json" => Model,
            "application/vnd.goharbor.harbor.sbom.v1" => Sbom,
            "application/vnd.cncf.notary.signature" or "application/vnd.dev.cosign.artifact.sig.v1+json" => Signature,
            _ when IsSbom(type) => Sbom,
            _ when IsAttestation(type) => Attestation,
            _ => ByConvention(type),
        };
    }

    /// <summary>What a manifest is to its subject; null for one without a subject, whose tag names none either.</summary>
    public static string? AccessoryOf(ManifestDocument document, IReadOnlyList<string> tags)
    {
        if (document.Subject is not null) return OfType(document.ReferrerType ?? "");
        foreach (var tag in tags)
        {
            if (SubjectOfCosignTag(tag).IsDefault) continue;
            return tag[tag.LastIndexOf('.')..] switch { ".sig" => CosignSignature, ".att" => InTotoAttestation, _ => AnySubject };
        }
        return null;
    }

    /// <summary>The subject that a tag names as cosign does: <c>sha256-HEX.sig</c>, <c>.att</c> or <c>.sbom</c>; default for other tags.</summary>
    public static Digest SubjectOfCosignTag(string tag)
    {
        var dot = tag.LastIndexOf('.');
        if (dot < 0 || tag.AsSpan(dot) is not (".sig" or ".att" or ".sbom")) return default;
        return ManifestCommit.SubjectOfFallbackTag(tag[..dot]);
    }

    /// <summary>Whether a tag only helps to find what belongs to another manifest: it is not for people, and no rule for tags concerns it.</summary>
    public static bool IsHelperTag(string tag) => !SubjectOfCosignTag(tag).IsDefault || !ManifestCommit.SubjectOfFallbackTag(tag).IsDefault;

    private static string OfType(string type) => type switch
    {
        "application/vnd.cncf.notary.signature" => NotationSignature,
        "application/vnd.goharbor.harbor.sbom.v1" => HarborSbom,
        "application/vnd.nydus.image.config.v1+json" or "application/vnd.oci.image.layer.nydus.blob.v1" => Nydus,
        "application/vnd.dev.cosign.artifact.sig.v1+json" => CosignSignature,
        _ when type.StartsWith("application/vnd.dev.sigstore.bundle", StringComparison.Ordinal) => CosignSignature,
        _ when IsAttestation(type) => InTotoAttestation,
        _ => AnySubject,
    };

    private static bool IsSbom(string type) =>
        type.StartsWith("application/spdx", StringComparison.Ordinal) || type.StartsWith("text/spdx", StringComparison.Ordinal)
        || type.StartsWith("application/vnd.cyclonedx", StringComparison.Ordinal) || type.StartsWith("application/vnd.syft", StringComparison.Ordinal);

    private static bool IsAttestation(string type) => type.StartsWith("application/vnd.in-toto", StringComparison.Ordinal);

    /// <summary>The media type that tells artifacts apart: of the configuration; an index has its own, or the one that its annotations name.</summary>
    public static string ConfigTypeOf(ManifestDocument document)
    {
        if (IsAnnotatedWasm(document)) return "application/vnd.wasm.config.v1+json";
        if (document.Config is { MediaType: { Length: > 0 and <= 255 } type }) return type;
        return document.IsIndex && IsCnab(document) ? "application/vnd.cnab.manifest.v1" : document.MediaType;
    }

    /// <summary>Whether an image says by its annotations that it is a Wasm module.</summary>
    internal static bool IsAnnotatedWasm(ManifestDocument document) =>
        document.AnnotationsJson is { } json
        && (json.Contains("\"module.wasm.image/variant\":\"compat\"", StringComparison.Ordinal) || json.Contains("\"run.oci.handler\":\"wasm\"", StringComparison.Ordinal));

    private static bool LooksLikeWasm(ManifestDocument document) => IsAnnotatedWasm(document) ||
        document.Layers.Count > 0 && document.Layers.All(l => l.MediaType is "application/wasm" or "application/vnd.wasm.content.layer.v1+wasm");

    private static bool IsCnab(ManifestDocument document) =>
        document.AnnotationsJson is { } json
        && (json.Contains("\"io.cnab.runtime_version\"", StringComparison.Ordinal)
            || json.Contains("\"org.opencontainers.artifactType\":\"application/vnd.cnab.manifest.v1\"", StringComparison.Ordinal));

    // application/vnd.example.thing.config.v1+json is a THING, as in Harbor.
    private static string ByConvention(string type)
    {
        const string Start = "application/vnd.";
        var end = type.IndexOf(".config.", StringComparison.Ordinal);
        if (!type.StartsWith(Start, StringComparison.Ordinal) || end <= Start.Length) return Unknown;
        var words = type[Start.Length..end];
        var word = words[(words.LastIndexOf('.') + 1)..];
        return word.Length is > 0 and <= 32 ? word.ToUpperInvariant() : Unknown;
    }
}
