using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Berth.Server.Identity;

/// <summary>Password hashes of ASP.NET Core Identity, version 3: PBKDF2 with HMAC-SHA512 and a random salt.</summary>
internal static class Passwords
{
    private const int Iterations = 100_000;
    private const int SaltBytes = 16;
    private const int KeyBytes = 32;

    /// <summary>Well formed and of full cost; no password is known that has it. Nothing must be hashed to make it.</summary>
    internal static readonly string NobodysHash = MakeNobodysHash();

    private static readonly PasswordHasher<User> Hasher = new(Options.Create(new PasswordHasherOptions { IterationCount = Iterations }));

    /// <summary>Hashes a password with a new salt.</summary>
    public static string Hash(string password) => Hasher.HashPassword(null!, password);

    /// <summary>Whether the password is the user's; without a user it takes as long as a wrong password.</summary>
    public static bool Verify(User? user, string password) =>
        Hasher.VerifyHashedPassword(null!, user?.PasswordHash ?? NobodysHash, password) != PasswordVerificationResult.Failed && user is not null;

    /// <summary>Whether a secret has the hash; without a hash it takes as long as a wrong secret.</summary>
    public static bool VerifySecret(string? hash, string secret) =>
        Hasher.VerifyHashedPassword(null!, hash ?? NobodysHash, secret) != PasswordVerificationResult.Failed && hash is not null;

    private static string MakeNobodysHash()
    {
        const int HmacSha512 = 2;
        var hash = new byte[13 + SaltBytes + KeyBytes];
        hash[0] = 1;
        hash[4] = HmacSha512;
        (hash[5], hash[6], hash[7], hash[8]) = ((byte)(Iterations >> 24), (byte)(Iterations >> 16 & 0xff), (byte)(Iterations >> 8 & 0xff), (byte)(Iterations & 0xff));
        hash[12] = SaltBytes;
        return Convert.ToBase64String(hash);
    }
}
