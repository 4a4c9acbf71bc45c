namespace Berth.Server.Identity;

/// <summary>Accounts of people (section <c>identity</c>; mode <c>local</c>).</summary>
public sealed record IdentityOptions
{
    /// <summary>Whether people may make an account for themselves on the sign-in page.</summary>
    public bool SelfRegistration { get; init; }

    /// <summary>Shortest password or secret that people may choose.</summary>
    public int PasswordMinLength { get; init; } = 8;

    /// <summary>Longest password or secret that people may choose.</summary>
    public int PasswordMaxLength { get; init; } = 128;

    /// <summary>Whether a password needs an upper case letter, a lower case letter and a digit.</summary>
    public bool PasswordNeedsMixture { get; init; } = true;

    /// <summary>
    /// Failed sign-ins with one name, on all replicas together, after which the name is locked; 0 never locks. Whoever signed in with the name from
    /// the same network before still gets in, and so do personal access tokens.
    /// </summary>
    public int LockAfterFailures { get; init; } = 20;

    /// <summary>How long a name stays locked. An administrator may release it earlier.</summary>
    public TimeSpan LockTime { get; init; } = TimeSpan.FromMinutes(15);
}
