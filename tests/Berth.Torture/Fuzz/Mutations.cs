using System.Text;

namespace Berth.Torture.Fuzz;

/// <summary>Small changes to good input: cut, double, swap, insert what has broken other servers.</summary>
internal static class Mutations
{
    private static readonly string[] Poison =
    [
        "..", "../", "/..", "%2e%2e", "%2E%2e%2f", "..%2f", "%2f", "%5c", "\\", "%00", "%0d%0a", "%", "%zz", "%c0%ae", "%ff", "//", "/./", ";", "?", "#", ":", "@", "*", "+", " ", "%20",
        "sha256:", "sha512:", "sha256:../../../etc/passwd", "-1", "0", "18446744073709551616", "9223372036854775807", "99999999999999999999999999", "é", "\u202e", "_catalog", "manifests", "blobs", "uploads",
        "tags/list", "referrers", "v2", "$(id)", "' OR 1=1 --", "\"", "<", ">", "{", "}", "[", "]", "null", "\\u0000", "\\ud800", "\t", ",", "-", "=", "bytes",
    ];

    public static string Text(Random random, string text, int most = 4)
    {
        var result = new StringBuilder(text);
        for (var i = random.Next(1, most + 1); i > 0; i--)
        {
            var at = random.Next(result.Length + 1);
            var length = Math.Min(random.Next(1, 12), result.Length - at);
            switch (random.Next(6))
            {
                case 0: result.Remove(at, length); break;
                case 1: result.Insert(at, result.ToString(at, length)); break;
                case 2: result.Insert(at, Poison[random.Next(Poison.Length)]); break;
                case 3: result.Remove(at, length).Insert(at, Poison[random.Next(Poison.Length)]); break;
                case 4 when at < result.Length: result[at] = (char)random.Next(32, 127); break;
                default: result.Insert(at, new string((char)random.Next('a', 'z' + 1), random.Next(1, random.Next(2, 400)))); break;
            }
        }
        return result.ToString();
    }

    public static byte[] Bytes(Random random, byte[] content)
    {
        var result = new List<byte>(content);
        for (var i = random.Next(1, 6); i > 0; i--)
        {
            var at = random.Next(result.Count + 1);
            var length = Math.Min(random.Next(1, 40), result.Count - at);
            switch (random.Next(5))
            {
                case 0: result.RemoveRange(at, length); break;
                case 1: result.InsertRange(at, result.GetRange(at, length)); break;
                case 2: result.InsertRange(at, Encoding.UTF8.GetBytes(Poison[random.Next(Poison.Length)])); break;
                case 3 when at < result.Count: result[at] = (byte)random.Next(256); break;
                default: result.InsertRange(at, Enumerable.Repeat("[{\""u8.ToArray()[random.Next(3)], random.Next(1, 300))); break;
            }
        }
        return [.. result];
    }

    public static T Pick<T>(Random random, params ReadOnlySpan<T> from) => from[random.Next(from.Length)];
}
