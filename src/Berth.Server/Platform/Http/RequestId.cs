using System.Security.Cryptography;

namespace Berth.Server.Platform.Http;

/// <summary>
/// Ids that tie a client's complaint to a log line. A client's own <c>X-Request-Id</c> is kept when it is 1 to 128 letters, digits and
/// <c>._:/+=@-</c>; otherwise 16 hexadecimal digits are made, which do not repeat within a process and are no secret.
/// </summary>
public static class RequestId
{
    /// <summary>Name of the header, in requests and answers.</summary>
    public const string HeaderName = "X-Request-Id";

    private const int LongestAccepted = 128;
    private static readonly System.Buffers.SearchValues<char> s_allowed = System.Buffers.SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/+=@-");

    private static long s_last = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long)));

    /// <summary>The client's id when it is sane, else a new one.</summary>
    public static string For(string? given) => given is { Length: > 0 and <= LongestAccepted } && !given.AsSpan().ContainsAnyExcept(s_allowed) ? given : New();

    /// <summary>A new id.</summary>
    public static string New()
    {
        // A counter from a random start, mixed so that neighbours look different; the mixing is one-to-one, so nothing repeats (splitmix64).
        var z = (ulong)Interlocked.Increment(ref s_last) * 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        z ^= z >> 31;
        return string.Create(16, z, static (chars, value) => value.TryFormat(chars, out _, "x16"));
    }
}
