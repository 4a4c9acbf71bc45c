using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Blobs.Gcs;
using Berth.Blobs.Tests.Http;

namespace Berth.Blobs.Tests.Gcs;

/// <summary>
/// Stands in for Google Cloud Storage, its token service and IAM's signBlob, by Google's published description: media and resumable uploads (308, Range, status
/// queries, bytes that were received already are ignored), ranges, pages, signed URLs. It proves that the driver speaks as described, not that Google answers so.
/// </summary>
internal sealed class GcsDouble : IAsyncDisposable
{
    private const string Bucket = "berth-tests";
    private const string Account = "berth@tests.iam.gserviceaccount.com";
    private const int Multiple = 256 << 10;
    private const int PageItems = 3;

    private readonly Lock _lock = new();
    private readonly RSA _rsa = RSA.Create(2048);
    private readonly SortedDictionary<string, byte[]> _objects = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Session> _sessions = [];
    private readonly ScriptedServer _server;
    private int _number;

    public GcsDouble() => _server = new ScriptedServer((request, body) =>
    {
        lock (_lock) return Answer(request, body);
    });

    public Uri Url => _server.Url;

    public int Tokens { get; private set; }

    /// <summary>Bytes that the next chunk's answer says were received, the rest is lost.</summary>
    public int? ReceiveAtMost { get; set; }

    public IReadOnlyCollection<string> Keys
    {
        get
        {
            lock (_lock) return [.. _objects.Keys];
        }
    }

    /// <summary>Settings with a key file for the double's account.</summary>
    public GcsOptions Options => new()
    {
        Bucket = Bucket,
        Endpoint = Url.AbsoluteUri,
        IamEndpoint = Url.AbsoluteUri,
        PartBytes = 4 * Multiple,
        CredentialsJson = new JsonObject
        {
            ["type"] = "service_account",
            ["project_id"] = "tests",
            ["private_key_id"] = "1",
            ["private_key"] = _rsa.ExportPkcs8PrivateKeyPem(),
            ["client_email"] = Account,
            ["token_uri"] = new Uri(Url, "token").AbsoluteUri,
        }.ToJsonString(),
    };

    public void Put(string key, byte[] content)
    {
        lock (_lock) _objects[key] = content;
    }

    public void ForgetSessions()
    {
        lock (_lock) _sessions.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _rsa.Dispose();
    }

    private ScriptedAnswer Answer(HttpListenerRequest request, byte[] body)
    {
        var (path, query) = (request.RawUrl!.Split('?')[0], request.QueryString);
        if (path == "/token")
        {
            Tokens++;
            return new ScriptedAnswer(200, """{"access_token":"good","expires_in":3600,"token_type":"Bearer"}""");
        }
        if (query["X-Goog-Signature"] is not null) return Signed(request, path);
        if (query["upload_id"] is { } id) return Continue(request, id, body);
        if (request.Headers["Authorization"] != "Bearer good") return new ScriptedAnswer(401, """{"error":{"message":"Invalid Credentials"}}""");
        if (path.EndsWith(":signBlob", StringComparison.Ordinal)) return SignBlob(body);
        if (!path.Contains($"/b/{Bucket}/o", StringComparison.Ordinal)) return new ScriptedAnswer(404, """{"error":{"message":"The specified bucket does not exist."}}""");
        if (path.StartsWith("/upload/", StringComparison.Ordinal)) return Upload(request, query["uploadType"]!, query["name"]!, body);
        if (path.EndsWith("/o", StringComparison.Ordinal)) return List(query["prefix"] ?? "", query["pageToken"] ?? "");
        return Object(request, Uri.UnescapeDataString(path[(path.LastIndexOf("/o/", StringComparison.Ordinal) + 3)..]), query["alt"] == "media");
    }

    private ScriptedAnswer Upload(HttpListenerRequest request, string type, string name, byte[] body)
    {
        if (type == "media")
        {
            _objects[name] = body;
            return Described(name);
        }
        var id = $"session-{++_number}";
        _sessions[id] = new Session(name);
        return new ScriptedAnswer(200, "", ("Location", $"http://{request.Headers["Host"]}/upload/storage/v1/b/{Bucket}/o?uploadType=resumable&upload_id={id}"));
    }

    private ScriptedAnswer Continue(HttpListenerRequest request, string id, byte[] body)
    {
        if (!_sessions.TryGetValue(id, out var session)) return new ScriptedAnswer(404);
        if (request.HttpMethod == "DELETE")
        {
            if (!session.IsDone) _sessions.Remove(id);
            return new ScriptedAnswer(499);
        }
        if (session.IsDone) return Described(session.Name);
        // "bytes 0-9/*", "bytes 0-9/10", "bytes */10"
        var words = request.Headers["Content-Range"]!["bytes ".Length..].Split('/');
        long? total = words[1] == "*" ? null : long.Parse(words[1], CultureInfo.InvariantCulture);
        if (words[0] != "*")
        {
            var from = long.Parse(words[0].Split('-')[0], CultureInfo.InvariantCulture);
            if (from > session.Bytes.Count) return new ScriptedAnswer(503);
            if (total is null && (from + body.Length) % Multiple != 0) return new ScriptedAnswer(400, "chunks are multiples of 256 KiB");
            session.Receive(body.AsSpan((int)Math.Min(session.Bytes.Count - from, body.Length)), ReceiveAtMost);
            ReceiveAtMost = null;
        }
        if (session.Bytes.Count > total) return new ScriptedAnswer(400, "more bytes than the whole");
        if (session.Bytes.Count == total)
        {
            session.IsDone = true;
            _objects[session.Name] = [.. session.Bytes];
            return Described(session.Name);
        }
        return session.Bytes.Count == 0 ? new ScriptedAnswer(308) : new ScriptedAnswer(308, "", ("Range", $"bytes=0-{session.Bytes.Count - 1}"));
    }

    private ScriptedAnswer List(string prefix, string token)
    {
        var keys = _objects.Keys.Where(k => k.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(k, token) > 0).Take(PageItems + 1).ToList();
        var page = new JsonObject();
        // Google leaves out what is empty.
        if (keys.Count > 0)
            page["items"] = new JsonArray([.. keys.Take(PageItems).Select(k => new JsonObject { ["name"] = k, ["size"] = $"{_objects[k].Length}", ["updated"] = TimeProvider.System.GetUtcNow().ToString("O") })]);
        if (keys.Count > PageItems) page["nextPageToken"] = keys[PageItems - 1];
        return new ScriptedAnswer(200, page.ToJsonString());
    }

    private ScriptedAnswer Object(HttpListenerRequest request, string key, bool isMedia)
    {
        if (!_objects.TryGetValue(key, out var content)) return new ScriptedAnswer(404, $"{{\"error\":{{\"message\":\"No such object: {Bucket}/{key}\"}}}}");
        if (request.HttpMethod == "DELETE")
        {
            _objects.Remove(key);
            return new ScriptedAnswer(204);
        }
        if (!isMedia) return Described(key);
        if (request.Headers["Range"] is not { } range) return new ScriptedAnswer(200, content);
        var words = range["bytes=".Length..].Split('-');
        var from = int.Parse(words[0], CultureInfo.InvariantCulture);
        if (from >= content.Length) return new ScriptedAnswer(416);
        return new ScriptedAnswer(206, content[from..], ("Content-Range", $"bytes {from}-{content.Length - 1}/{content.Length}"));
    }

    private ScriptedAnswer Described(string key)
    {
        var crc = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(crc, Slow(_objects[key]));
        return new ScriptedAnswer(200, new JsonObject { ["name"] = key, ["size"] = $"{_objects[key].Length}", ["crc32c"] = Convert.ToBase64String(crc) }.ToJsonString());
    }

    // By the book, bit by bit over a table of its own, so that the driver's is checked.
    private static readonly uint[] Table = [.. Enumerable.Range(0, 256).Select(n =>
    {
        var c = (uint)n;
        for (var i = 0; i < 8; i++) c = (c & 1) != 0 ? (c >> 1) ^ 0x82F63B78 : c >> 1;
        return c;
    })];

    private static uint Slow(byte[] bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes) crc = Table[(crc ^ b) & 0xFF] ^ (crc >> 8);
        return ~crc;
    }

    private ScriptedAnswer SignBlob(byte[] body)
    {
        var payload = Convert.FromBase64String((string)JsonNode.Parse(body)!["payload"]!);
        return new ScriptedAnswer(200, new JsonObject { ["signedBlob"] = Convert.ToBase64String(_rsa.SignData(payload, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)) }.ToJsonString());
    }

    // The signature covers method, path, query without itself, and the host that the client called.
    private ScriptedAnswer Signed(HttpListenerRequest request, string path)
    {
        var query = request.QueryString;
        var all = request.RawUrl!.Split('?')[1];
        var canonical = $"{request.HttpMethod}\n{path}\n{all[..all.IndexOf("&X-Goog-Signature=", StringComparison.Ordinal)]}\nhost:{request.Headers["Host"]}\n\nhost\nUNSIGNED-PAYLOAD";
        var date = query["X-Goog-Date"]!;
        var scope = $"{date[..8]}/auto/storage/goog4_request";
        var toSign = $"GOOG4-RSA-SHA256\n{date}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var isGood = query["X-Goog-Credential"] == $"{Account}/{scope}" && query["X-Goog-SignedHeaders"] == "host"
            && _rsa.VerifyData(Encoding.UTF8.GetBytes(toSign), Convert.FromHexString(query["X-Goog-Signature"]!), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var ends = DateTimeOffset.ParseExact(date, "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).AddSeconds(int.Parse(query["X-Goog-Expires"]!, CultureInfo.InvariantCulture));
        if (!isGood || ends < TimeProvider.System.GetUtcNow()) return new ScriptedAnswer(403);
        return _objects.TryGetValue(Uri.UnescapeDataString(path[(Bucket.Length + 2)..]), out var content) ? new ScriptedAnswer(200, content) : new ScriptedAnswer(404);
    }

    private sealed class Session(string name)
    {
        public string Name => name;

        public List<byte> Bytes { get; } = [];

        public bool IsDone { get; set; }

        public void Receive(ReadOnlySpan<byte> bytes, int? most) => Bytes.AddRange(bytes[..Math.Min(bytes.Length, most ?? int.MaxValue)]);
    }
}
