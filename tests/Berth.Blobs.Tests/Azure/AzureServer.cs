using System.Globalization;
using System.Net;
using System.Xml.Linq;
using Berth.Blobs.Azure;
using Berth.Blobs.Http;

namespace Berth.Blobs.Tests.Azure;

/// <summary>A server of Azure's protocol (Azurite) that <c>BERTH_TEST_AZURE</c> names by its connection string.</summary>
internal sealed class AzureServer : IDisposable
{
    private readonly HttpClient _http = new();
    private readonly AzureSharedKey _key;

    private AzureServer(string connectionString)
    {
        Options = new AzureOptions { ConnectionString = connectionString, Container = "berth-tests", PartBytes = 1 << 20 }.Resolved();
        _key = new AzureSharedKey(Options.AccountName, Options.AccountKey);
    }

    /// <summary>How to get there.</summary>
    public AzureOptions Options { get; }

    /// <summary>The server, with the container made; the test is skipped when there is none.</summary>
    public static async Task<AzureServer> OpenAsync()
    {
        var connectionString = Environment.GetEnvironmentVariable("BERTH_TEST_AZURE");
        Assert.SkipWhen(string.IsNullOrEmpty(connectionString), "BERTH_TEST_AZURE is not set");
        var server = new AzureServer(connectionString!);
        using var answer = await server.SendAsync(HttpMethod.Put, "?restype=container");
        Assert.True(answer.IsSuccessStatusCode || answer.StatusCode == HttpStatusCode.Conflict, answer.StatusCode.ToString());
        return server;
    }

    /// <summary>Keys of all blobs below a prefix, those of which there are only blocks included.</summary>
    public async Task<IReadOnlyCollection<string>> ListAsync(string prefix)
    {
        using var answer = await SendAsync(HttpMethod.Get, $"?restype=container&comp=list&include=uncommittedblobs&prefix={Uri.EscapeDataString(prefix)}");
        return [.. XDocument.Parse(await answer.Content.ReadAsStringAsync()).Descendants("Blob").Select(b => b.Element("Name")!.Value)];
    }

    public async Task PutAsync(string key, byte[] content)
    {
        using var answer = await SendAsync(HttpMethod.Put, "/" + key, content);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
    }

    /// <summary>A header of a blob.</summary>
    public async Task<string?> HeaderAsync(string key, string name)
    {
        using var answer = await SendAsync(HttpMethod.Head, "/" + key);
        return answer.Headers.TryGetValues(name, out var values) ? values.First() : null;
    }

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string rest, byte[]? content = null)
    {
        using var request = new HttpRequestMessage(method, $"{Options.Endpoint}/{Options.Container}{rest}");
        request.Headers.Add("x-ms-version", AzureAuthorization.Version);
        request.Headers.Add("x-ms-date", TimeProvider.System.GetUtcNow().ToString("R", CultureInfo.InvariantCulture));
        if (content is not null)
        {
            request.Content = new MemoryContent(content);
            request.Headers.Add("x-ms-blob-type", "BlockBlob");
        }
        await _key.SignAsync(request, CancellationToken.None);
        return await _http.SendAsync(request);
    }
}
