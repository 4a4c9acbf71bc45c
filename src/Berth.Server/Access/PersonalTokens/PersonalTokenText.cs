using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Berth.Server.Access.PersonalTokens;

/// <summary>
/// The text of a personal access token: <c>berth_pat_</c> and 256 random bits. The prefix lets scanners for leaked secrets find it.
/// </summary>
internal static class PersonalTokenText
{
    public const string Prefix = "berth_pat_";
    private const int RandomBytes = 32;
    private const int MaxLength = 128;

    /// <summary>Whether a text claims to be one.</summary>
    public static bool IsOne(string text) => text.StartsWith(Prefix, StringComparison.Ordinal) && text.Length <= MaxLength;

    /// <summary>A new one.</summary>
    public static string New() => Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RandomBytes));

    /// <summary>What is kept of it.</summary>
    public static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
