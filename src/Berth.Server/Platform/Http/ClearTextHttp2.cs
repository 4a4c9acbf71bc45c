using System.Buffers;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Berth.Server.Platform.Http;

/// <summary>
/// HTTP/2 with prior knowledge beside HTTP/1.1 on one clear-text address (RFC 9113 section 3.3). Kestrel chooses the protocol by what TLS has negotiated
/// and takes HTTP/1.1 without it. This step looks at the first bytes of a connection; when they are HTTP/2's preface, it states "h2" in TLS'
/// place. The scheme of requests then comes from the client's <c>:scheme</c> (<see cref="KestrelServerOptions.AllowAlternateSchemes"/>), which says http.
/// </summary>
internal static class ClearTextHttp2
{
    private static readonly TimeSpan s_firstBytesWithin = TimeSpan.FromSeconds(130);

    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>Adds the step to an address.</summary>
    public static void Recognise(ListenOptions listen)
    {
        listen.Protocols = HttpProtocols.Http1AndHttp2;
        listen.KestrelServerOptions.AllowAlternateSchemes = true;
        listen.Use(next => connection => LookAsync(connection, next));
    }

    private static async Task LookAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var input = connection.Transport.Input;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
        patience.CancelAfter(s_firstBytesWithin);
        try
        {
            while (true)
            {
                var read = await input.ReadAsync(patience.Token);
                var verdict = Judge(read.Buffer);
                // Undecided: everything is examined, so that the next read waits for more.
                if (verdict is null && !read.IsCompleted)
                {
                    input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                    continue;
                }
                input.AdvanceTo(read.Buffer.Start);
                if (verdict == true) State(connection);
                break;
            }
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            connection.Abort(new ConnectionAbortedException("no request came in time"));
            return;
        }
        await next(connection);
    }

    /// <summary>True: HTTP/2. False: something else. Null: too few bytes to say.</summary>
    internal static bool? Judge(ReadOnlySequence<byte> bytes)
    {
        Span<byte> start = stackalloc byte[24];
        var length = (int)Math.Min(bytes.Length, Preface.Length);
        bytes.Slice(0, length).CopyTo(start);
        if (!Preface.StartsWith(start[..length])) return false;
        return length == Preface.Length ? true : null;
    }

    private static void State(ConnectionContext connection)
    {
        var stated = new Negotiated();
        connection.Features.Set<ITlsConnectionFeature>(stated);
        connection.Features.Set<ITlsApplicationProtocolFeature>(stated);
    }

    private sealed class Negotiated : ITlsConnectionFeature, ITlsApplicationProtocolFeature
    {
        private static readonly byte[] s_h2 = "h2"u8.ToArray();

        public ReadOnlyMemory<byte> ApplicationProtocol => s_h2;

        public System.Security.Cryptography.X509Certificates.X509Certificate2? ClientCertificate { get; set; }

        public Task<System.Security.Cryptography.X509Certificates.X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) =>
            Task.FromResult<System.Security.Cryptography.X509Certificates.X509Certificate2?>(null);
    }
}
