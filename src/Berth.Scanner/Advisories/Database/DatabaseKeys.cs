using System.Text;

namespace Berth.Scanner.Advisories.Database;

/// <summary>Keys of the database: a letter for the kind, then texts that end with a zero byte each.</summary>
internal static class DatabaseKeys
{
    public static byte[] AllAdvisories { get; } = [(byte)'A', 0];

    public static byte[] AllDetails { get; } = [(byte)'V', 0];

    public static byte[] AllProducts { get; } = [(byte)'C', 0];

    public static byte[] Advisory(string bucket, string feed, string package, string id) => Of('A', bucket, feed, package, id);

    public static byte[] Package(AdvisoryBucket bucket, string package) => Of('A', bucket.Name, bucket.Feed, package);

    public static byte[] Bucket(AdvisoryBucket bucket) => Of('A', bucket.Name, bucket.Feed);

    public static byte[] Detail(string id, string feed) => Of('V', id, feed);

    public static byte[] Details(string id) => Of('V', id);

    public static byte[] Prediction(string id) => Of('E', id);

    public static byte[] Exploitation(string id) => Of('K', id);

    /// <param name="map"><c>repository</c> or <c>nvr</c>.</param>
    /// <param name="name">Content set or name-version-release.</param>
    public static byte[] Products(string map, string name) => Of('C', map, name);

    /// <summary>Whether the texts can be parts of a key.</summary>
    public static bool AreFit(params ReadOnlySpan<string> parts)
    {
        var length = 2;
        foreach (var part in parts)
        {
            if (part.Contains('\0'))
                return false;
            length += Encoding.UTF8.GetByteCount(part) + 1;
        }
        return length <= SortedTableFormat.MaxKey;
    }

    /// <summary>The texts of a key.</summary>
    public static string[] Parts(ReadOnlySpan<byte> key) => Encoding.UTF8.GetString(key[2..^1]).Split('\0');

    private static byte[] Of(char kind, params ReadOnlySpan<string> parts)
    {
        var size = 2;
        foreach (var part in parts)
            size += Encoding.UTF8.GetByteCount(part) + 1;
        var key = new byte[size];
        key[0] = (byte)kind;
        var at = 2;
        foreach (var part in parts)
            at += Encoding.UTF8.GetBytes(part, key.AsSpan(at)) + 1;
        return key;
    }
}
