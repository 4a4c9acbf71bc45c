using System.Net.Mail;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Text;

namespace Berth.Server.Webhooks;

/// <summary>Whether what somebody sends is a policy, and whether a policy is about an event. No I/O.</summary>
internal static class WebhookRules
{
    public const int MaxNameLength = 255;
    private const int MaxTargets = 16;
    private const int MaxAddressLength = 2048;
    private const int MaxHeaderLength = 8 * 1024;
    private const int MaxSecretLength = 1024;

    /// <summary>What is wrong with a policy; null when it can be saved.</summary>
    public static string? ProblemOf(WebhookPolicyJson policy, bool ofProject, OutgoingGuard guard, bool canMail)
    {
        var types = ofProject ? WebhookEventTypes.OfProjects : WebhookEventTypes.OfInstallation;
        if (policy.Name is not { Length: > 0 and <= MaxNameLength }) return $"a policy needs a name of at most {MaxNameLength} characters";
        if (policy.EventTypes is not { Count: > 0 } events) return "empty event type";
        if (events.FirstOrDefault(e => !types.Contains(e)) is { } unknown) return $"unsupported event type {unknown}";
        if (ProblemOfGlob(policy.Repositories) is { } repositories) return "repositories: " + repositories;
        if (ProblemOfGlob(policy.Tags) is { } tags) return "tags: " + tags;
        if (policy.Targets is not { Count: > 0 } targets) return $"empty notification target with policy {policy.Name}";
        if (targets.Count > MaxTargets) return $"a policy has at most {MaxTargets} targets";
        return targets.Select(t => t is null ? "a target is null" : ProblemOf(t, policy.Name, guard, canMail)).FirstOrDefault(p => p is not null);
    }

    /// <summary>The target of what somebody sends, which has no problem.</summary>
    /// <param name="json">What was sent.</param>
    /// <param name="before">The target in the same place, whose secret stays when none is sent.</param>
    public static WebhookTarget TargetOf(WebhookTargetJson json, WebhookTarget? before) => new()
    {
        Type = json.Type!,
        Address = json.Address!,
        AuthHeader = json.AuthHeader ?? "",
        SkipCertVerify = json.SkipCertVerify,
        Format = json.Type != WebhookTarget.Http ? "" : string.IsNullOrEmpty(json.PayloadFormat) ? WebhookTarget.DefaultFormat : json.PayloadFormat,
        Template = json.Template ?? "",
        Secret = json.Secret ?? before?.Secret ?? "",
    };

    /// <summary>Whether a policy is about an event of a repository and tag; null for what has none.</summary>
    public static bool IsAbout(Glob? repositories, Glob? tags, bool ofProject, string? repository, string? tag)
    {
        if (repositories is not null && (repository is null || !repositories.IsMatch(ofProject ? repository[(repository.IndexOf('/', StringComparison.Ordinal) + 1)..] : repository))) return false;
        return tags is null || (tag is not null && tags.IsMatch(tag));
    }

    /// <summary>The address of a target, which is kept as it was written; without a scheme it is http, as in Harbor.</summary>
    public static Uri? AddressOf(string address)
    {
        var text = address.Trim().TrimEnd('/');
        if (!text.Contains("://", StringComparison.Ordinal)) text = "http://" + text;
        return Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Host.Length > 0 ? uri : null;
    }

    private static string? ProblemOf(WebhookTargetJson target, string policy, OutgoingGuard guard, bool canMail)
    {
        if (target.Type is not { } type || !WebhookTarget.Types.Contains(type)) return $"unsupported target type {target.Type} with policy {policy}";
        if (type != WebhookTarget.Http && target.PayloadFormat is { Length: > 0 }) return $"set payload format is not allowed for {type}";
        if (target.PayloadFormat is { Length: > 0 } format && !WebhookTarget.Formats.Contains(format)) return $"unsupported payload format type: {format}";
        if (target.PayloadFormat == WebhookTarget.TemplateFormat && WebhookTemplate.ProblemOf(target.Template ?? "") is { } template) return template;
        if (target.AuthHeader is { } header && (header.Length > MaxHeaderLength || header.AsSpan().ContainsAny('\r', '\n', '\0'))) return "the auth header is no value of a header";
        if (target.Secret?.Length > MaxSecretLength) return $"a secret has at most {MaxSecretLength} characters";
        if (target.Address is not { Length: > 0 and <= MaxAddressLength }) return "a target needs an address";
        if (type == WebhookTarget.Email)
            return !canMail ? "no mail server is configured: set webhooks.smtp" : !MailAddress.TryCreate(target.Address, out _) ? $"{target.Address} is no mail address" : null;
        return AddressOf(target.Address) is { } address ? guard.ProblemOf(address) : $"invalid URL: {target.Address}";
    }

    private static string? ProblemOfGlob(string? glob) => string.IsNullOrEmpty(glob) || Glob.TryParse(glob, out _, out var problem) ? null : problem;
}
