using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Berth.Server.Platform.Secrets;

namespace Berth.Server.Webhooks;

/// <summary>One receiver of a policy, in clear.</summary>
internal sealed record WebhookTarget
{
    public const string Http = "http";
    public const string Slack = "slack";
    public const string Email = "email";

    public const string DefaultFormat = "Default";
    public const string CloudEventsFormat = "CloudEvents";
    public const string TemplateFormat = "Template";

    /// <summary>Kinds of receivers: Harbor's two, and mail.</summary>
    public static readonly IReadOnlyList<string> Types = [Http, Slack, Email];

    /// <summary>Forms of the body for <see cref="Http"/>: Harbor's two, and a template.</summary>
    public static readonly IReadOnlyList<string> Formats = [DefaultFormat, CloudEventsFormat, TemplateFormat];

    public required string Type { get; init; }

    /// <summary>http(s) address, or a mail address.</summary>
    public required string Address { get; init; }

    /// <summary>Value of the Authorization header; empty for none.</summary>
    public string AuthHeader { get; init; } = "";

    public bool SkipCertVerify { get; init; }

    /// <summary>One of <see cref="Formats"/> for <see cref="Http"/>, else empty.</summary>
    public string Format { get; init; } = "";

    /// <summary>For <see cref="TemplateFormat"/>.</summary>
    public string Template { get; init; } = "";

    /// <summary>Key of the signature; empty for no signature.</summary>
    public string Secret { get; init; } = "";
}

/// <summary>A receiver as it is stored.</summary>
public sealed record StoredTarget
{
    public required string Type { get; init; }

    public required string Address { get; init; }

    public bool SkipCertVerify { get; init; }

    public string Format { get; init; } = "";

    public string Template { get; init; } = "";

    /// <summary>Sealed.</summary>
    public byte[]? AuthHeader { get; init; }

    /// <summary>Sealed.</summary>
    public byte[]? Secret { get; init; }
}

/// <summary>Turns receivers into what is stored and back.</summary>
internal sealed class WebhookTargets(InstallationSecret secret)
{
    private const string Purpose = "webhook";

    public string Store(IReadOnlyList<WebhookTarget> targets)
    {
        StoredTarget[] stored =
        [
            .. targets.Select(t => new StoredTarget
            {
                Type = t.Type,
                Address = t.Address,
                SkipCertVerify = t.SkipCertVerify,
                Format = t.Format,
                Template = t.Template,
                AuthHeader = Seal(t.AuthHeader),
                Secret = Seal(t.Secret),
            }),
        ];
        return JsonSerializer.Serialize(stored, WebhookJson.Default.StoredTargetArray);
    }

    public IReadOnlyList<WebhookTarget> Read(string stored) =>
    [
        .. (JsonSerializer.Deserialize(stored, WebhookJson.Default.StoredTargetArray) ?? []).Select(t => new WebhookTarget
        {
            Type = t.Type,
            Address = t.Address,
            SkipCertVerify = t.SkipCertVerify,
            Format = t.Format,
            Template = t.Template,
            AuthHeader = Open(t.AuthHeader),
            Secret = Open(t.Secret),
        }),
    ];

    private byte[]? Seal(string text) => text.Length == 0 ? null : secret.Encrypt(Encoding.UTF8.GetBytes(text), Purpose);

    private string Open(byte[]? sealedText) => sealedText is null ? "" : Encoding.UTF8.GetString(secret.Decrypt(sealedText, Purpose));
}

/// <summary>
/// The proof that a request comes from here and is not an old one sent again: HMAC-SHA256 with the target's secret over the time in Unix seconds,
/// a full stop, and the body. Receivers compute it again and refuse times that are long past.
/// </summary>
internal static class WebhookSignature
{
    public const string Header = "X-Berth-Signature";
    public const string TimestampHeader = "X-Berth-Timestamp";

    /// <summary>The value of the header.</summary>
    public static string Of(string secret, long timestamp, ReadOnlySpan<byte> body)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret));
        hmac.AppendData(Encoding.ASCII.GetBytes($"{timestamp}."));
        hmac.AppendData(body);
        return "sha256=" + Convert.ToHexStringLower(hmac.GetHashAndReset());
    }
}
