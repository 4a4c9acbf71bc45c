using System.Text;
using System.Text.Json;
using Berth.Blobs.Swift;

namespace Berth.Blobs.Tests.Swift;

/// <summary>A real Swift that <c>BERTH_TEST_SWIFT</c> names (<c>AUTHURL;USER;PASSWORD</c>, version 1), asked without our client.</summary>
#pragma warning disable CA1001 // One client for the tests of a class.
internal sealed class SwiftServer
#pragma warning restore CA1001
{
    private readonly HttpClient _http = new();
    private string _storage = "";

    private SwiftServer(string authUrl, string user, string password)
    {
        AuthUrl = new Uri(authUrl);
        Options = new SwiftOptions { AuthUrl = authUrl, Username = user, Password = password, Container = "berth-native", PartBytes = 1 << 20, MaxSegments = 200 };
    }

    public Uri AuthUrl { get; }

    public SwiftOptions Options { get; }

    /// <summary>URL of the account.</summary>
    public string StorageUrl => _storage;

    /// <summary>A token of it.</summary>
    public string Token => _http.DefaultRequestHeaders.GetValues("X-Auth-Token").Single();

    public static async Task<SwiftServer> OpenAsync()
    {
        var words = Environment.GetEnvironmentVariable("BERTH_TEST_SWIFT")?.Split(';');
        Assert.SkipWhen(words is not { Length: 3 }, "BERTH_TEST_SWIFT is not set");
        var server = new SwiftServer(words![0], words[1], words[2]);
        using var request = new HttpRequestMessage(HttpMethod.Get, words[0]);
        request.Headers.Add("X-Auth-User", words[1]);
        request.Headers.Add("X-Auth-Key", words[2]);
        using var answer = await server._http.SendAsync(request);
        answer.EnsureSuccessStatusCode();
        server._storage = answer.Headers.GetValues("X-Storage-Url").Single();
        server._http.DefaultRequestHeaders.Add("X-Auth-Token", answer.Headers.GetValues("X-Auth-Token").Single());
        return server;
    }

    /// <summary>Every object below a prefix, but not the segments that manifests name.</summary>
    public async Task<IReadOnlyCollection<string>> ListAsync(string prefix)
    {
        var names = await NamesAsync(prefix);
        var segments = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in names)
        {
            using var head = await _http.SendAsync(new HttpRequestMessage(HttpMethod.Head, UrlOf(name)));
            if (head.Headers.TryGetValues("X-Object-Manifest", out var dynamic)) segments.UnionWith(names.Where(n => n.StartsWith(dynamic.Single().Split('/', 2)[1], StringComparison.Ordinal)));
            if (!head.Headers.Contains("X-Static-Large-Object")) continue;
            var manifest = JsonDocument.Parse(await _http.GetStringAsync(UrlOf(name) + "?multipart-manifest=get&format=json"));
            foreach (var segment in manifest.RootElement.EnumerateArray()) segments.Add(segment.GetProperty("name").GetString()!.Split('/', 3)[2]);
        }
        return [.. names.Where(n => !segments.Contains(n))];
    }

    public Task PutAsync(string key, byte[] content, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Put, key, content, headers);

    public async Task SendAsync(HttpMethod method, string key, byte[] content, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, UrlOf(key)) { Content = new ByteArrayContent(content) };
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        using var answer = await _http.SendAsync(request);
        answer.EnsureSuccessStatusCode();
    }

    private async Task<List<string>> NamesAsync(string prefix)
    {
        using var answer = await _http.GetAsync($"{_storage}/{Options.Container}?format=json&prefix={prefix}");
        if (!answer.IsSuccessStatusCode) return [];
        var text = Encoding.UTF8.GetString(await answer.Content.ReadAsByteArrayAsync());
        return text.Length == 0 ? [] : [.. JsonDocument.Parse(text).RootElement.EnumerateArray().Select(e => e.GetProperty("name").GetString()!)];
    }

    private string UrlOf(string key) => $"{_storage}/{Options.Container}{(key.Length > 0 ? "/" + key : "")}";
}
