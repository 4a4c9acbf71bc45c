namespace Berth.Server.Identity;

/// <summary>What a password or secret that somebody chooses must look like; Harbor's rules unless the settings say otherwise.</summary>
public sealed class PasswordRules(IdentityOptions options)
{
    /// <summary>Says what the rules are.</summary>
    public string Text => options.PasswordNeedsMixture
        ? $"the password or secret must be {options.PasswordMinLength}-{options.PasswordMaxLength}, inclusively, characters long with at least 1 uppercase letter, 1 lowercase letter and 1 number"
        : $"the password or secret must be {options.PasswordMinLength}-{options.PasswordMaxLength}, inclusively, characters long";

    /// <summary>Whether a text keeps the rules.</summary>
    public bool Allow(string? text)
    {
        if (text is null || text.Length < options.PasswordMinLength || text.Length > options.PasswordMaxLength) return false;
        // It must fit into a Basic header (RFC 7617 section 2).
        if (text.Any(char.IsControl)) return false;
        return !options.PasswordNeedsMixture
            || text.Any(char.IsAsciiLetterUpper) && text.Any(char.IsAsciiLetterLower) && text.Any(char.IsAsciiDigit);
    }
}
