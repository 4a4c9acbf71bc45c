using System.Net;
using System.Net.Sockets;

namespace Berth.Blobs.Tests.Http;

/// <summary>A server on loopback whose answers a test writes.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private HttpListener _listener = new();
    private readonly Func<HttpListenerRequest, byte[], ScriptedAnswer> _answer;
    private readonly Task _serving;
    private int _requests;

    /// <summary>Starts; the script is called for one request at a time.</summary>
    public ScriptedServer(Func<HttpListenerRequest, byte[], ScriptedAnswer> answer)
    {
        _answer = answer;
        // Between finding a free port and taking it another may take it.
        for (var tries = 0; ; tries++)
        {
            Url = new Uri($"http://127.0.0.1:{FreePort()}/");
            _listener.Prefixes.Clear();
            _listener.Prefixes.Add(Url.AbsoluteUri);
            try
            {
                _listener.Start();
                break;
            }
            catch (HttpListenerException) when (tries < 20)
            {
                _listener = new HttpListener();
            }
        }
        _serving = ServeAsync();
    }

    public Uri Url { get; }

    public int Requests => Volatile.Read(ref _requests);

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _serving;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            Interlocked.Increment(ref _requests);
            await AnswerAsync(context);
        }
    }

    // A client that gave up leaves half a request or takes no answer: that is what tests provoke.
    private async Task AnswerAsync(HttpListenerContext context)
    {
        try
        {
            using var body = new MemoryStream();
            await context.Request.InputStream.CopyToAsync(body);
            // A request that was cut off is not answered.
            if (context.Request.ContentLength64 > body.Length) throw new IOException("the request is cut off");
            var answer = _answer(context.Request, body.ToArray());
            context.Response.StatusCode = answer.Status;
            foreach (var (name, value) in answer.Headers) context.Response.Headers[name] = value;
            if (context.Request.HttpMethod != "HEAD")
            {
                context.Response.ContentLength64 = answer.Body.Length;
                await context.Response.OutputStream.WriteAsync(answer.Body);
            }
            context.Response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or IOException or InvalidOperationException)
        {
            context.Response.Abort();
        }
    }
}

/// <summary>One answer.</summary>
internal sealed record ScriptedAnswer(int Status, byte[] Body, params (string Name, string Value)[] Headers)
{
    public ScriptedAnswer(int status, string text = "", params (string Name, string Value)[] headers)
        : this(status, System.Text.Encoding.UTF8.GetBytes(text), headers)
    {
    }
}
