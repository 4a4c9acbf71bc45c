using System.Net;
using Berth.Blobs.Http;

namespace Berth.Blobs.Swift;

/// <summary>Requests to one container, with a token that is renewed when the store refuses it.</summary>
internal sealed class SwiftCalls : IDisposable
{
    private readonly SwiftOptions _options;
    private readonly StoreHttp _http;
    private readonly SwiftSignIn _signIn;

    public SwiftCalls(SwiftOptions options, TimeProvider time)
    {
        _options = options;
        _http = new StoreHttp(new StoreHttpOptions
        {
            Name = $"Swift container {options.Container}",
            ConnectTimeout = options.ConnectTimeout,
            TryTimeout = options.TryTimeout,
            MinBytesPerSecond = options.MinBytesPerSecond,
            MaxTries = options.MaxTries,
            GiveUpAfter = options.GiveUpAfter,
            FirstPause = options.FirstPause,
            SkipVerify = options.SkipVerify,
            MaxConnections = options.MaxConnections,
        }, time);
        _signIn = new SwiftSignIn(options, _http, time);
    }

    /// <summary>Sends a request about an object, or about the container where the key is empty.</summary>
    /// <param name="method">GET, PUT …</param>
    /// <param name="key">Key of the object; the container itself where it is empty, the account where it is null.</param>
    /// <param name="query">With its question mark, or empty.</param>
    /// <param name="prepare">Adds headers and body.</param>
    /// <param name="ct">Cancels it.</param>
    public async Task<StoreAnswer> SendAsync(HttpMethod method, string? key, string query, Action<HttpRequestMessage>? prepare, CancellationToken ct)
    {
        var call = new Call(this, method, key, query, prepare);
        return await _http.SendAsync(call.MakeAsync, call.MayHelpAsync, ct).ConfigureAwait(false);
    }

    /// <summary>The same, with the body of a success left to be read.</summary>
    public async Task<OpenedAnswer> OpenAsync(string key, Action<HttpRequestMessage> prepare, CancellationToken ct)
    {
        var call = new Call(this, HttpMethod.Get, key, "", prepare);
        return await _http.OpenAsync(call.MakeAsync, call.MayHelpAsync, ct).ConfigureAwait(false);
    }

    /// <summary>URL of an object, and its path as signatures want it.</summary>
    public async ValueTask<(Uri Url, string PlainPath)> LocateAsync(string key, CancellationToken ct)
    {
        var token = await _signIn.GetAsync(ct).ConfigureAwait(false);
        var url = new Uri(UrlOf(token, key));
        return (url, $"{new Uri(token.StorageUrl).AbsolutePath}/{_options.Container}/{key}");
    }

    public IOException Refused(StoreAnswer answer, string what) => _http.Refused(answer, what);

    public void Dispose()
    {
        _signIn.Dispose();
        _http.Dispose();
    }

    /// <summary>A key as a URL has it.</summary>
    public static string Escape(string key) => string.Join('/', key.Split('/').Select(Uri.EscapeDataString));

    private string UrlOf(SwiftToken token, string? key)
    {
        if (key is null) return token.StorageUrl;
        var container = $"{token.StorageUrl}/{Uri.EscapeDataString(_options.Container)}";
        return key.Length == 0 ? container : $"{container}/{Escape(key)}";
    }

    private sealed class Call(SwiftCalls calls, HttpMethod method, string? key, string query, Action<HttpRequestMessage>? prepare)
    {
        private SwiftToken? _used;

        public async ValueTask<HttpRequestMessage> MakeAsync(CancellationToken ct)
        {
            _used = await calls._signIn.GetAsync(ct).ConfigureAwait(false);
            var request = new HttpRequestMessage(method, calls.UrlOf(_used, key) + query);
            request.Headers.TryAddWithoutValidation("X-Auth-Token", _used.Token);
            prepare?.Invoke(request);
            return request;
        }

        public ValueTask<bool> MayHelpAsync(StoreAnswer answer, CancellationToken ct)
        {
            // 422: the body arrived damaged.
            if (answer.Status == HttpStatusCode.UnprocessableEntity) return ValueTask.FromResult(true);
            if (answer.Status != HttpStatusCode.Unauthorized) return ValueTask.FromResult(false);
            calls._signIn.Forget(_used!);
            return ValueTask.FromResult(true);
        }
    }
}
