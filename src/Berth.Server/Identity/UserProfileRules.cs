using System.Text.RegularExpressions;

namespace Berth.Server.Identity;

/// <summary>What a user's name, mail address and the like must look like: Harbor's rules, with its words.</summary>
internal static partial class UserProfileRules
{
    private const int MaxLength = 255;
    private const int MaxComment = 30;

    // Not in names, so that robots and groups can be told from users.
    private static readonly System.Buffers.SearchValues<char> Illegal = System.Buffers.SearchValues.Create(",\"~#%$");

    /// <summary>What is wrong with a new user, or null.</summary>
    public static string? ProblemOf(NewUser user) => ProblemOf(new UserProfile(user.Email, user.Realname, user.Comment)) ?? ProblemOfName(user.Username ?? "");

    /// <summary>What is wrong with a profile, or null.</summary>
    public static string? ProblemOf(UserProfile profile)
    {
        var (email, name, comment) = (profile.Email ?? "", profile.Realname ?? "", profile.Comment ?? "");
        if (email.Length == 0) return "email can't be empty";
        if (email.Length > MaxLength || !MailAddress().IsMatch(email)) return "email with illegal format";
        if (name.Length is 0 or > MaxLength) return "realname with illegal length";
        if (name.AsSpan().ContainsAny(Illegal) || name.Any(char.IsControl)) return "realname contains illegal characters";
        return comment.Length > MaxComment ? "comment with illegal length" : null;
    }

    /// <summary>What is wrong with a name, or null.</summary>
    public static string? ProblemOfName(string name)
    {
        if (name.Length is 0 or > MaxLength) return "username with illegal length";
        return name.AsSpan().ContainsAny(Illegal) || !Users.IsName(name) ? "username contains illegal characters" : null;
    }

    [GeneratedRegex("""^(?:[^<>()\[\]\\.,;:\s@"]+(?:\.[^<>()\[\]\\.,;:\s@"]+)*|".+")@(?:\[[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\]|(?:[a-zA-Z0-9-]+\.)+[a-zA-Z]{2,})\z""", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex MailAddress();
}
