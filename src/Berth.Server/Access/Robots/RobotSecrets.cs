using System.Security.Cryptography;
using System.Text;
using Berth.Server.Identity;

namespace Berth.Server.Access.Robots;

/// <summary>
/// Secrets of robots. One that Berth made is random and long, so its SHA-256 is kept, and checking it costs nothing; one that somebody chose is kept
/// like a password.
/// </summary>
internal static class RobotSecrets
{
    private const int Length = 32;
    private const string FastPrefix = "sha256:";
    private const string Alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

    /// <summary>A new secret: 190 bits, with an upper case letter, a lower case letter and a digit, as Harbor's rules demand.</summary>
    public static string New()
    {
        while (true)
        {
            var text = RandomNumberGenerator.GetString(Alphabet, Length);
            if (text.Any(char.IsAsciiLetterUpper) && text.Any(char.IsAsciiLetterLower) && text.Any(char.IsAsciiDigit)) return text;
        }
    }

    /// <summary>What is kept of a secret that Berth made.</summary>
    public static string HashOfRandom(string secret) => FastPrefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    /// <summary>What is kept of a secret that somebody chose.</summary>
    public static string HashOfChosen(string secret) => Passwords.Hash(secret);

    /// <summary>Which of the two secrets it is. A wrong one takes the time of one password check, whatever is kept, so that nobody learns which robots exist.</summary>
    /// <param name="secret">What was given.</param>
    /// <param name="current">What is kept; null when there is no secret.</param>
    /// <param name="previous">What is kept of the secret before while that is good; null otherwise.</param>
    public static RobotSecretMatch Match(string secret, string? current, string? previous)
    {
        var fast = HashOfRandom(secret);
        if (IsFast(current) && Same(current!, fast)) return RobotSecretMatch.Current;
        if (IsFast(previous) && Same(previous!, fast)) return RobotSecretMatch.Previous;
        // At most one of them is slow: a rotation makes a random one (RobotSecretsApi).
        var isPrevious = IsFast(current);
        var slow = !isPrevious ? current : IsFast(previous) ? null : previous;
        return !Passwords.VerifySecret(slow, secret) ? RobotSecretMatch.None : isPrevious ? RobotSecretMatch.Previous : RobotSecretMatch.Current;
    }

    private static bool IsFast(string? hash) => hash is not null && hash.StartsWith(FastPrefix, StringComparison.Ordinal);

    private static bool Same(string a, string b) => CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(a), Encoding.ASCII.GetBytes(b));
}

/// <summary>Which of a robot's secrets somebody gave.</summary>
internal enum RobotSecretMatch
{
    None,
    Current,
    Previous,
}
