using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Crypto.Generators;

namespace Berth.Server.Access;

/// <summary>
/// bcrypt hashes as <c>htpasswd -B</c> writes them: <c>$2y$</c>, <c>$2a$</c> or <c>$2b$</c>, cost, salt and hash, 60 characters.
/// Verified by libcrypt where it is installed (three times faster), else by managed code.
/// </summary>
internal static partial class Bcrypt
{
    private const int HashLength = 60;
    private const int SaltBytes = 16;
    private static readonly SearchValues<char> Alphabet = SearchValues.Create("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    private static readonly Lazy<bool> HasLibcrypt = new(FindLibcrypt);

    /// <summary>Whether a text has the form of a bcrypt hash.</summary>
    public static bool IsHash(string hash) =>
        hash.Length == HashLength
        && hash[0] == '$' && hash[1] == '2' && hash[2] is 'y' or 'a' or 'b' && hash[3] == '$' && hash[6] == '$'
        && char.IsAsciiDigit(hash[4]) && char.IsAsciiDigit(hash[5]) && CostOf(hash) is >= 4 and <= 31
        && !hash.AsSpan(7).ContainsAnyExcept(Alphabet);

    /// <summary>The logarithm of the number of rounds.</summary>
    public static int CostOf(string hash) => ((hash[4] - '0') * 10) + hash[5] - '0';

    /// <summary>Whether a password has this hash. Like everywhere, only the first 72 bytes of the password count.</summary>
    public static bool Verify(string hash, string password)
    {
        if (!IsHash(hash) || password.Contains('\0', StringComparison.Ordinal)) return false;
        return HasLibcrypt.Value ? VerifyNative(hash, password) : VerifyManaged(hash, password);
    }

    /// <summary>Hashes a password with a new salt.</summary>
    public static string Hash(string password, int cost) =>
        OpenBsdBCrypt.Generate("2y", password.ToCharArray(), RandomNumberGenerator.GetBytes(SaltBytes), cost);

    /// <summary>A hash that no password has, for names that do not exist.</summary>
    public static string Unmatchable(int cost) => $"$2a${cost:00}${new string('.', 53)}";

    internal static bool VerifyManaged(string hash, string password) => OpenBsdBCrypt.CheckPassword(hash, password.ToCharArray());

    internal static unsafe bool VerifyNative(string hash, string password)
    {
        // struct crypt_data of libxcrypt; too much for the stack of a thread that serves requests.
        const int StateBytes = 32768;
        var state = (byte*)NativeMemory.AllocZeroed(StateBytes);
        try
        {
            var result = crypt_rn(password, hash, state, StateBytes);
            if (result == null) return false;
            var computed = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(result);
            return CryptographicOperations.FixedTimeEquals(computed, Encoding.ASCII.GetBytes(hash));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(new Span<byte>(state, StateBytes));
            NativeMemory.Free(state);
        }
    }

    // An old C library may have a libcrypt without bcrypt, so it is tried with a known hash ("U*U", Openwall's test vector).
    private static bool FindLibcrypt()
    {
        const string Known = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
        try
        {
            return VerifyNative(Known, "U*U");
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return false;
        }
    }

    [LibraryImport("libcrypt.so.1", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial byte* crypt_rn(string phrase, string setting, byte* data, int size);
}
