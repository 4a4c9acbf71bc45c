namespace Berth.Server.Identity.Sessions;

/// <summary>How long browsers stay signed in (section <c>identity.sessions</c>).</summary>
public sealed record SessionOptions
{
    /// <summary>A session that is not used for this long ends. Unless it is set here, the setting <c>session_timeout</c> says how long.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(60);

    /// <summary>A session ends this long after the sign-in, used or not.</summary>
    public TimeSpan AbsoluteTimeout { get; init; } = TimeSpan.FromHours(24);
}
