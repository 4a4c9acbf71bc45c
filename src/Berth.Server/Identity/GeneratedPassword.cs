using System.Security.Cryptography;

namespace Berth.Server.Identity;

/// <summary>Passwords that nobody has chosen.</summary>
public static class GeneratedPassword
{
    // Letters and digits that are not mistaken for each other: a password may be read from a terminal.
    private const string Alphabet = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

    // Of every kind that the rules may ask for.
    private const string OfEveryKind = "aA2";
    private const int Length = 24;

    /// <summary>A new one: 24 characters, of which 21 are random (122 bits).</summary>
    public static string New() => RandomNumberGenerator.GetString(Alphabet, Length - OfEveryKind.Length) + OfEveryKind;
}
