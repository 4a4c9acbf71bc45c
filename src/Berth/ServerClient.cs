using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Berth;

/// <summary>A running server, asked over HTTP as somebody with a password or a token.</summary>
internal sealed class ServerClient : IDisposable
{
    private const int PageSize = 100;
    private const int MaxPages = 1000;
    private const int MaxAnswerBytes = 64 * 1024 * 1024;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly HttpClient _http;
    private readonly string _address;

    /// <param name="address">Address of the server.</param>
    /// <param name="user">Name of the user or robot.</param>
    /// <param name="password">Password, secret or personal access token.</param>
    public ServerClient(Uri address, string user, string password)
    {
        _address = address.AbsoluteUri.TrimEnd('/');
        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { Timeout = Timeout, MaxResponseContentBufferSize = MaxAnswerBytes };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));
    }

    /// <summary>One call; the JSON of the answer, an empty object when it has none.</summary>
    /// <param name="method">Method.</param>
    /// <param name="path">From the slash on.</param>
    /// <param name="body">What is sent; null for nothing.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="ServerCallException">The server cannot be reached or says no.</exception>
    public async Task<JsonNode> CallAsync(HttpMethod method, string path, JsonNode? body, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, _address + path);
        if (body is not null) request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        try
        {
            using var answer = await _http.SendAsync(request, ct);
            var text = await answer.Content.ReadAsStringAsync(ct);
            var json = Parse(text);
            if (!answer.IsSuccessStatusCode) throw new ServerCallException($"{_address} answered {(int)answer.StatusCode}{(MessageOf(json) is { } message ? $": {message}" : "")}");
            if (text.Length > 0 && json is null) throw new ServerCallException($"{_address}{path} answered with something that is no JSON: is it a Berth server?");
            return json ?? new JsonObject();
        }
        catch (HttpRequestException e)
        {
            throw new ServerCallException($"{_address} cannot be reached: {e.InnerException?.Message ?? e.Message}");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new ServerCallException($"{_address} did not answer within {Timeout.TotalSeconds:0} s");
        }
    }

    /// <summary>All rows of a list, page by page.</summary>
    /// <param name="path">From the slash on, with its query or a question mark.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="ServerCallException">The server cannot be reached or says no.</exception>
    public async Task<JsonArray> ListAsync(string path, CancellationToken ct)
    {
        var rows = new JsonArray();
        for (var page = 1; page <= MaxPages; page++)
        {
            var found = (await CallAsync(HttpMethod.Get, $"{path}&page={page}&page_size={PageSize}", null, ct)).AsArray();
            foreach (var row in found) rows.Add(row?.DeepClone());
            if (found.Count < PageSize) return rows;
        }
        throw new ServerCallException($"the list has more than {MaxPages * PageSize} rows: ask the API for what is wanted");
    }

    public void Dispose() => _http.Dispose();

    // Harbor's envelope and problem+json.
    private static string? MessageOf(JsonNode? json) => json is JsonObject body
        ? (body["errors"] is JsonArray { Count: > 0 } errors ? errors[0]?["message"] : body["detail"])?.GetValue<string>()
        : null;

    private static JsonNode? Parse(string text)
    {
        try
        {
            return text.Length == 0 ? null : JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>A server did not do what it was asked; the message says why.</summary>
internal sealed class ServerCallException(string message) : Exception(message);
