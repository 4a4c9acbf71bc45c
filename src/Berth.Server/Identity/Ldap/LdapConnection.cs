using System.Buffers.Binary;
using System.Formats.Asn1;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Berth.Server.Platform.Http;

namespace Berth.Server.Identity.Ldap;

/// <summary>
/// A conversation with a directory server, one request at a time. Every step ends within <see cref="LdapOptions.Timeout"/>, and no thread
/// waits for the network.
/// </summary>
internal sealed class LdapConnection : IAsyncDisposable
{
    /// <summary>Most entries that one search may bring.</summary>
    public const int MaxEntries = 10_000;

    private const int PageSize = 500;
    private const int MaxMessageBytes = 4 * 1024 * 1024;

    private readonly LdapOptions _options;
    private readonly TimeProvider _time;
    private readonly TcpClient _client;
    private Stream _stream = Stream.Null;
    private int _id;

    private LdapConnection(LdapOptions options, TcpClient client, TimeProvider time) => (_options, _client, _time) = (options, client, time);

    /// <summary>Connects to the first server that answers, with TLS where the settings say so.</summary>
    /// <exception cref="LdapUnavailableException">None can be reached or trusted.</exception>
    public static async Task<LdapConnection> OpenAsync(LdapOptions options, IReadOnlyList<LdapAddress> addresses, TimeProvider time, CancellationToken ct)
    {
        LdapUnavailableException? first = null;
        foreach (var address in addresses)
        {
            var connection = new LdapConnection(options, new TcpClient { NoDelay = true }, time);
            try
            {
                await connection.WithinAsync($"connecting to {address}", token => connection.ConnectAsync(address, token), ct).ConfigureAwait(false);
                return connection;
            }
            catch (LdapUnavailableException e)
            {
                first ??= e;
                connection._client.Dispose();
            }
            catch
            {
                connection._client.Dispose();
                throw;
            }
        }
        throw first ?? new LdapUnavailableException("no address of an LDAP server is given");
    }

    /// <summary>Proves a name with a password; the result says whether it is right.</summary>
    /// <exception cref="LdapUnavailableException">The server does not answer in time, or not in LDAP.</exception>
    public async Task<LdapResult> BindAsync(string dn, string password, CancellationToken ct)
    {
        // Section 5.1.2: a name without a password is an anonymous bind that succeeds and proves nothing.
        if (dn.Length > 0 && password.Length == 0) throw new ArgumentException("a bind with a name needs a password", nameof(password));
        var answer = await RequestAsync("signing in", id => LdapMessages.Bind(id, dn, password), ct).ConfigureAwait(false);
        return answer.Result!.Value;
    }

    /// <summary>All entries that a search finds, page by page.</summary>
    /// <param name="search">What is searched.</param>
    /// <param name="most">How many entries are wanted at most.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="LdapUnavailableException">The server does not answer in time, not in LDAP, or refuses the search.</exception>
    public async Task<IReadOnlyList<LdapEntry>> SearchAsync(LdapSearch search, int most, CancellationToken ct)
    {
        var entries = new List<LdapEntry>();
        byte[] cookie = [];
        do
        {
            var from = cookie;
            var pageSize = Math.Min(PageSize, most);
            var done = await RequestAsync("searching", id => LdapMessages.Search(id, search, pageSize, from), ct, entries, most).ConfigureAwait(false);
            var result = done.Result!.Value;
            // What is not there cannot be found; a limit of the server leaves what it has sent.
            if (result.Code is LdapResultCode.NoSuchObject) return [];
            if (result.Code is not (LdapResultCode.Success or LdapResultCode.SizeLimitExceeded or LdapResultCode.Referral))
                throw new LdapUnavailableException($"the directory refused a search below \"{search.BaseDn}\": {LdapResultCode.Describe(result)}") { Told = result.Message };
            cookie = done.Cookie;
        }
        while (cookie.Length > 0 && entries.Count < most);
        return entries;
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_client.Connected) await WithinAsync("leaving", token => SendAsync(LdapMessages.Unbind(++_id), token), CancellationToken.None).ConfigureAwait(false);
        }
        catch (LdapUnavailableException)
        {
            // The server has left first: nothing is lost.
        }
        await _stream.DisposeAsync().ConfigureAwait(false);
        _client.Dispose();
    }

    private async Task ConnectAsync(LdapAddress address, CancellationToken ct)
    {
        await _client.ConnectAsync(address.Host, address.Port, ct).ConfigureAwait(false);
        _stream = _client.GetStream();
        if (address.IsTls)
        {
            await BeginTlsAsync(address.Host, ct).ConfigureAwait(false);
        }
        else if (_options.StartTls)
        {
            await SendAsync(LdapMessages.StartTls(++_id), ct).ConfigureAwait(false);
            var answer = await ReceiveAsync(ct).ConfigureAwait(false);
            if (answer.Result is not { Code: LdapResultCode.Success } result)
                throw new LdapUnavailableException($"{address} does not begin TLS: {LdapResultCode.Describe(answer.Result ?? default)}") { Told = answer.Result?.Message };
            await BeginTlsAsync(address.Host, ct).ConfigureAwait(false);
        }
    }

    private async Task BeginTlsAsync(string host, CancellationToken ct)
    {
        var tls = new SslStream(_stream, leaveInnerStreamOpen: false);
        _stream = tls;
        var authentication = new SslClientAuthenticationOptions
        {
            TargetHost = host,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };
        if (!_options.VerifyCert)
        {
#pragma warning disable CA5359 // The operator has said so: identity.ldap.verifyCert is false.
            authentication.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        }
        else if (_options.CaPath is { Length: > 0 } path)
        {
            authentication.CertificateChainPolicy = CertificateAuthorities.PolicyOf(path);
        }
        await tls.AuthenticateAsClientAsync(authentication, ct).ConfigureAwait(false);
    }

    private async Task<LdapAnswer> RequestAsync(string what, Func<int, byte[]> message, CancellationToken ct, List<LdapEntry>? entries = null, int most = 0)
    {
        LdapAnswer? done = null;
        await WithinAsync(what, async token =>
        {
            await SendAsync(message(++_id), token).ConfigureAwait(false);
            do
            {
                var answer = await ReceiveAsync(token).ConfigureAwait(false);
                if (answer.Entry is null) done = answer;
                else if (entries is not null && entries.Count < Math.Min(most, MaxEntries)) entries.Add(answer.Entry);
            }
            while (done is null);
        }, ct).ConfigureAwait(false);
        return done!;
    }

    private async Task SendAsync(byte[] message, CancellationToken ct)
    {
        await _stream.WriteAsync(message, ct).ConfigureAwait(false);
        await _stream.FlushAsync(ct).ConfigureAwait(false);
    }

    // The next message that belongs to the request under way.
    private async Task<LdapAnswer> ReceiveAsync(CancellationToken ct)
    {
        while (true)
        {
            var answer = LdapMessages.Read(await ReadMessageAsync(ct).ConfigureAwait(false), out var id);
            // Section 4.4: id 0 is the server's notice that it ends the conversation.
            if (id == 0) throw new LdapUnavailableException($"the directory ended the conversation: {LdapResultCode.Describe(answer?.Result ?? default)}") { Told = answer?.Result?.Message };
            if (id == _id && answer is not null) return answer;
        }
    }

    private async Task<ReadOnlyMemory<byte>> ReadMessageAsync(CancellationToken ct)
    {
        var head = new byte[6];
        await _stream.ReadExactlyAsync(head.AsMemory(0, 2), ct).ConfigureAwait(false);
        if (head[0] != 0x30) throw new LdapUnavailableException("the server does not speak LDAP: is the port right, and does it want TLS (ldaps) instead?");
        int length = head[1];
        var headBytes = 2;
        if (length >= 0x80)
        {
            var count = length & 0x7f;
            if (count is 0 or > 4) throw new LdapUnavailableException("the server sent a message of a length that LDAP does not allow");
            await _stream.ReadExactlyAsync(head.AsMemory(2, count), ct).ConfigureAwait(false);
            Span<byte> number = stackalloc byte[4];
            number.Clear();
            head.AsSpan(2, count).CopyTo(number[(4 - count)..]);
            length = BinaryPrimitives.ReadInt32BigEndian(number);
            headBytes += count;
        }
        if (length is < 0 or > MaxMessageBytes) throw new LdapUnavailableException($"the server sent a message of more than {MaxMessageBytes} bytes");
        var message = new byte[headBytes + length];
        head.AsSpan(0, headBytes).CopyTo(message);
        await _stream.ReadExactlyAsync(message.AsMemory(headBytes), ct).ConfigureAwait(false);
        return message;
    }

    // Everything that can go wrong on the way becomes one thing: the directory is not available.
    private async Task WithinAsync(string what, Func<CancellationToken, Task> step, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(_options.Timeout, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            await step(both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new LdapUnavailableException($"{what} took longer than {_options.Timeout.TotalSeconds:0.#} s");
        }
        catch (Exception e) when (e is IOException or SocketException or AuthenticationException or AsnContentException or ObjectDisposedException)
        {
            throw new LdapUnavailableException($"{what} failed: {e.InnerException?.Message ?? e.Message}", e);
        }
    }
}

/// <summary>The directory cannot answer: not reachable, not trusted, or not willing. Says nothing about a user or a password; the message holds no word of the server's.</summary>
internal sealed class LdapUnavailableException(string message, Exception? inner = null) : Exception(message, inner)
{
    private const int MaxTold = 200;

    /// <summary>What the server said about it; for logs only.</summary>
    public string? Told { get; init; }

    /// <summary>The message with the server's words.</summary>
    public string ForLog => Told?.TrimEnd('\0') is { Length: > 0 } told
        ? $"{Message} (the server says: {new string([.. told.Where(c => !char.IsControl(c)).Take(MaxTold)])})"
        : Message;
}
