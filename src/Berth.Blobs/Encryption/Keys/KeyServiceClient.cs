using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Berth.Blobs.Http;

namespace Berth.Blobs.Encryption.Keys;

/// <summary>Calls a service that holds a master key: a JSON object there, a JSON object back.</summary>
internal sealed class KeyServiceClient(string name, string? token, string? tokenFile, bool skipVerify, TimeProvider time) : IDisposable
{
    private readonly StoreHttp _http = new(
        new StoreHttpOptions { Name = name, SkipVerify = skipVerify, TryTimeout = TimeSpan.FromSeconds(10), GiveUpAfter = TimeSpan.FromSeconds(30), MaxTries = 4 }, time);

    /// <summary>Posts an object.</summary>
    /// <param name="address">Where.</param>
    /// <param name="body">The object.</param>
    /// <param name="sign">Puts the token, which may be null, where the service wants it.</param>
    /// <param name="ct">Cancels.</param>
    public async ValueTask<JsonObject> PostAsync(Uri address, JsonObject body, Action<HttpRequestHeaders, string?> sign, CancellationToken ct)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(body.ToJsonString());
        var answer = await _http.SendAsync(
            async again =>
            {
                var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new MemoryContent(bytes, "application/json") };
                sign(request.Headers, tokenFile is null ? token : (await File.ReadAllTextAsync(tokenFile, again).ConfigureAwait(false)).Trim());
                return request;
            },
            ct).ConfigureAwait(false);
        if (!answer.IsSuccess) throw _http.Refused(answer, "to use the master key");
        try
        {
            return JsonNode.Parse(answer.Body) as JsonObject ?? throw new IOException($"{name} did not answer a JSON object: check its address");
        }
        catch (System.Text.Json.JsonException e)
        {
            throw new IOException($"{name} did not answer JSON: check its address", e);
        }
    }

    /// <summary>A string of an answer.</summary>
    public string Text(JsonNode? node, string what) =>
        node is JsonValue value && value.TryGetValue<string>(out var text) ? text : throw new IOException($"{name} answered without {what}: check its address");

    /// <summary>Bytes of an answer.</summary>
    public byte[] Bytes(JsonNode? node, string what)
    {
        try
        {
            return Convert.FromBase64String(Text(node, what));
        }
        catch (FormatException e)
        {
            throw new IOException($"{name} answered {what} that is not base64", e);
        }
    }

    public void Dispose() => _http.Dispose();
}
