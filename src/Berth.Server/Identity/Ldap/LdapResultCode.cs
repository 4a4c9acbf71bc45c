namespace Berth.Server.Identity.Ldap;

/// <summary>Result codes (RFC 4511 appendix A).</summary>
internal static class LdapResultCode
{
    public const int Success = 0;
    public const int SizeLimitExceeded = 4;
    public const int Referral = 10;
    public const int NoSuchObject = 32;
    public const int InvalidDnSyntax = 34;
    public const int InvalidCredentials = 49;

    private const int StrongerAuthRequired = 8;
    private const int ConfidentialityRequired = 13;
    private const int ConstraintViolation = 19;
    private const int InappropriateAuthentication = 48;
    private const int InsufficientAccessRights = 50;
    private const int UnwillingToPerform = 53;

    /// <summary>
    /// Whether a bind as a user was refused because of the user or the password: wrong, locked, expired, without a password, gone. All else
    /// is the directory's own trouble.
    /// </summary>
    public static bool IsUsersFault(int code) =>
        code is InvalidCredentials or InappropriateAuthentication or ConstraintViolation or UnwillingToPerform or NoSuchObject or InsufficientAccessRights;

    /// <summary>A result in words of ours, with what the operator can do about it.</summary>
    public static string Describe(LdapResult result) => result.Code switch
    {
        StrongerAuthRequired or ConfidentialityRequired => "it wants TLS: use ldaps:// or turn startTls on",
        NoSuchObject => "there is no such entry",
        InvalidDnSyntax => "the distinguished name is malformed",
        InvalidCredentials => "wrong name or password",
        InsufficientAccessRights => "the search account has no right to do so",
        UnwillingToPerform => "it is not willing to",
        _ => $"result code {result.Code}",
    };
}
