using System.Text.RegularExpressions;

namespace Berth.Server.Access.Robots;

/// <summary>
/// Names of robot accounts. In the database: <c>ci</c> of the system, <c>project+ci</c> of a project. To the world with the prefix of the settings, Harbor's
/// <c>robot$</c> by default: <c>robot$project+ci</c>. Shells and build systems trip over the dollar sign, so sign-in takes three more forms:
/// the prefix with <c>_</c> for <c>$</c> (<c>robot_project+ci</c>), the prefix <c>robot$</c> whatever the settings say, and the name without any prefix
/// (<c>project+ci</c>) where no user is called so.
/// </summary>
internal static partial class RobotNames
{
    /// <summary>Harbor's prefix.</summary>
    public const string DefaultPrefix = "robot$";

    private const int MaxLength = 255;

    /// <summary>Whether a text can be the name that is chosen for a robot.</summary>
    public static bool IsValid(string name) => name.Length <= MaxLength && Pattern().IsMatch(name);

    /// <summary>Whether a sign-in name says that it is a robot's.</summary>
    public static bool HasPrefix(string name, string prefix) => WithoutPrefix(name, prefix) is not null;

    /// <summary>The name in the database that a sign-in name with a prefix means; null without a prefix.</summary>
    public static string? WithoutPrefix(string name, string prefix) =>
        Cut(name, prefix) ?? Cut(name, DefaultPrefix) ?? Cut(name, prefix.Replace('$', '_')) ?? Cut(name, "robot_");

    private static string? Cut(string name, string prefix) =>
        prefix.Length > 0 && name.Length > prefix.Length && name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : null;

    [GeneratedRegex("^[a-z0-9]+(?:[._-][a-z0-9]+)*\\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Pattern();
}
