using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Berth.Server.Platform.Http;

namespace Berth.Server.Audit;

/// <summary>
/// Holds the connection to a receiver of audit entries. A send ends when the receiver has taken all entries: an HTTP receiver says so with a status of 2xx;
/// syslog has no such word, so there it means that the bytes are handed over and the connection still stands.
/// </summary>
internal sealed class AuditSender(AuditTarget target, AuditOptions options) : IAsyncDisposable
{
    private readonly HttpClient? _http = target.Transport == AuditTransport.Http ? NewClient(options) : null;
    private Socket? _socket;
    private Stream? _stream;

    /// <summary>Where to.</summary>
    public AuditTarget Target { get; } = target;

    /// <summary>Sends entries in their order.</summary>
    /// <exception cref="IOException">The receiver cannot be reached, or broke off.</exception>
    /// <exception cref="HttpRequestException">An HTTP receiver cannot be reached or answered with an error.</exception>
    /// <exception cref="OperationCanceledException">It took longer than <see cref="AuditOptions.ForwardTimeout"/>.</exception>
    public async Task SendAsync(IReadOnlyList<AuditEntry> entries, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(options.ForwardTimeout);
        if (_http is not null)
        {
            await PostAsync(_http, entries, limit.Token).ConfigureAwait(false);
            return;
        }
        try
        {
            await WriteAsync(entries, limit.Token).ConfigureAwait(false);
        }
        catch
        {
            await CloseAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        await CloseAsync().ConfigureAwait(false);
    }

    private async Task PostAsync(HttpClient http, IReadOnlyList<AuditEntry> entries, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Target.Url);
        var body = JsonSerializer.SerializeToUtf8Bytes([.. entries.Select(AuditRecord.Of)], AuditJson.Default.ListAuditRecord);
        request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        if (options.ForwardAuthorization is { Length: > 0 } authorization) request.Headers.TryAddWithoutValidation("Authorization", authorization);
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode) throw new HttpRequestException($"{Target} answered {(int)response.StatusCode}", null, response.StatusCode);
    }

    private async Task WriteAsync(IReadOnlyList<AuditEntry> entries, CancellationToken ct)
    {
        // What was sent into a connection that the other side has left would be lost without a word.
        if (_socket is not null && HasEnded(_socket)) await CloseAsync().ConfigureAwait(false);
        var stream = _stream ??= await ConnectAsync(ct).ConfigureAwait(false);
        foreach (var entry in entries) await stream.WriteAsync(SyslogMessage.Write(entry, Environment.MachineName, Environment.ProcessId), ct).ConfigureAwait(false);
        await stream.FlushAsync(ct).ConfigureAwait(false);
        if (HasEnded(_socket!)) throw new IOException($"{Target} closed the connection");
    }

    private async Task<Stream> ConnectAsync(CancellationToken ct)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(Target.Host, Target.Port, ct).ConfigureAwait(false);
            _socket = socket;
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (Target.Transport != AuditTransport.SyslogTls) return new BufferedStream(stream, 64 * 1024);
            var tls = new SslStream(stream);
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = Target.Host, CertificateChainPolicy = PolicyOf(options) }, ct).ConfigureAwait(false);
            return new BufferedStream(tls, 64 * 1024);
        }
        catch (Exception e)
        {
            socket.Dispose();
            _socket = null;
            if (e is SocketException or System.Security.Authentication.AuthenticationException) throw new IOException($"{Target} cannot be reached: {e.Message}", e);
            throw;
        }
    }

    private async ValueTask CloseAsync()
    {
        var (stream, socket) = (_stream, _socket);
        (_stream, _socket) = (null, null);
        // Below the buffer: what it holds belongs to a send that failed and is sent again.
        socket?.Dispose();
        if (stream is null) return;
        try
        {
            await stream.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // Its socket is closed already, which is what was wanted.
        }
    }

    private static bool HasEnded(Socket socket)
    {
        try
        {
            return socket.Poll(TimeSpan.Zero, SelectMode.SelectRead) && socket.Available == 0;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    private static HttpClient NewClient(AuditOptions options)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) };
        if (PolicyOf(options) is { } policy) handler.SslOptions.CertificateChainPolicy = policy;
        return new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    private static X509ChainPolicy? PolicyOf(AuditOptions options) => options.ForwardCa is { Length: > 0 } path ? CertificateAuthorities.PolicyOf(path) : null;
}
