using Berth.Server.Platform.Options;

namespace Berth.Server.Webhooks;

/// <summary>Webhooks of projects and of the installation (section <c>webhooks</c>).</summary>
public sealed record WebhookOptions
{
    /// <summary>Tries of one delivery before it is given up; the pauses between them double from 2 seconds up to 10 minutes (50 tries: about 7 hours).</summary>
    public int MaxAttempts { get; init; } = 50;

    /// <summary>Time limit of one request.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Most deliveries that this process makes at a time.</summary>
    public int MaxConcurrent { get; init; } = 8;

    /// <summary>The server that mails are handed to.</summary>
    public SmtpOptions Smtp { get; init; } = new();
}

/// <summary>A mail server.</summary>
public sealed record SmtpOptions
{
    /// <summary>Host name; empty: no mails are sent.</summary>
    public string Host { get; init; } = "";

    /// <summary>Port; 587 for submission with STARTTLS, 25 for a relay.</summary>
    public int Port { get; init; } = 587;

    /// <summary>Insist on TLS (STARTTLS).</summary>
    public bool Tls { get; init; } = true;

    /// <summary>Address that mails come from.</summary>
    public string From { get; init; } = "";

    /// <summary>User to sign in as; empty: no sign-in.</summary>
    public string Username { get; init; } = "";

    /// <summary>Password. Secret.</summary>
    [Secret]
    public string Password { get; init; } = "";
}
