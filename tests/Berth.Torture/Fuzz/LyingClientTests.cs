using System.Text;
using Berth.Oci;

namespace Berth.Torture.Fuzz;

/// <summary>Clients whose headers and bodies do not fit together, or never end.</summary>
public sealed class LyingClientTests
{
    private static readonly string Empty = Digest.Of([]).Value;

    public static TheoryData<string> Lies =>
    [
        // More announced than sent, in every place that reads a body.
        $"POST /v2/a/blobs/uploads/?digest={Empty} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nabc",
        "PUT /v2/a/manifests/x HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Length: 1000\r\n\r\n{",
        "PUT /v2/a/manifests/x HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Length: 99999999999\r\n\r\n{",
        // Lengths that are none, or two.
        "POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
        "POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        // Chunks that are none.
        $"POST /v2/a/blobs/uploads/?digest={Empty} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        $"POST /v2/a/blobs/uploads/?digest={Empty} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc",
        $"POST /v2/a/blobs/uploads/?digest={Empty} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        $"POST /v2/a/blobs/uploads/?digest={Empty} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        // Requests that are none.
        "GET /v2/ HTTP/9.9\r\nHost: x\r\n\r\n",
        "GET /v2/ HTTP/1.1\r\n\r\n",
        "GET /v2/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /v2/ HTTP/1.1\r\nHost: x\r\nA\0B: c\r\n\r\n",
        "GET /v2/ HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        "GET /v2/\0 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET v2 HTTP/1.1\r\nHost: x\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        // Too much of it.
        $"GET /v2/{new string('a', 9000)}/tags/list HTTP/1.1\r\nHost: x\r\n\r\n",
        $"GET /v2/{new string('a', 5000)}/tags/list HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        $"GET /v2/a/tags/list?last={new string('a', 7000)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        $"GET /v2/a/blobs/{Empty} HTTP/1.1\r\nHost: x\r\nRange: bytes={new string(',', 20_000)}\r\nConnection: close\r\n\r\n",
        $"GET /v2/a/blobs/{Empty} HTTP/1.1\r\nHost: x\r\nX: {new string('a', 200_000)}\r\n\r\n",
        "GET /v2/ HTTP/1.1\r\nHost: x\r\n" + string.Concat(Enumerable.Range(0, 500).Select(i => $"X{i}: y\r\n")) + "\r\n",
        $"GET /v2/ HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {new string('A', 20_000)}\r\nConnection: close\r\n\r\n",
    ];

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task A_lie_is_refused_and_leaves_nothing(string request)
    {
        await using var server = await FuzzServer.StartAsync();
        var answer = await server.Http.SendAsync(Encoding.Latin1.GetBytes(request), endsInput: true);
        answer?.MustKeepThePromises("GET");
        if (answer is { Status: < 300 }) Assert.StartsWith("GET", request, StringComparison.Ordinal);
        Assert.Equal(404, (await server.Http.SendAsync(HttpFuzzTests.Request("GET", $"/v2/a/blobs/{Empty}", "", [])))!.Status);
        Assert.Equal(404, (await server.Http.SendAsync(HttpFuzzTests.Request("GET", "/v2/a/manifests/x", "", [])))!.Status);
        await server.MustHaveStayedInsideAsync();
    }

    // RFC 9112 §6.3: the chunks count, and the connection must end, so that nobody's next request hides in what follows.
    [Fact]
    public async Task A_body_with_a_length_and_chunks_is_read_by_its_chunks_and_the_connection_ends()
    {
        await using var server = await FuzzServer.StartAsync();
        var request = "POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
        var answer = await server.Http.SendAsync(Encoding.Latin1.GetBytes(request + $"POST /v2/a/blobs/uploads/?digest={Empty} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"));
        Assert.Equal(202, answer!.Status);
        Assert.Equal("close", answer.Headers["connection"]);
        Assert.Equal(404, (await server.Http.SendAsync(HttpFuzzTests.Request("GET", $"/v2/a/blobs/{Empty}", "", [])))!.Status);
    }

    [Theory]
    [InlineData("PUT /v2/a/manifests/x HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Length: 100000\r\n\r\n")]
    [InlineData("POST /v2/a/blobs/uploads/?digest=sha256:6c3c624b58dbbcd3c0dd82b4c53f04194d1247c6eebdaab7c610cf7d66709b3b HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")]
    public async Task A_body_that_drips_is_given_up(string head)
    {
        await using var server = await FuzzServer.StartAsync();
        var answer = await server.Http.TrickleAsync(Encoding.ASCII.GetBytes(head), TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(25));
        if (answer is not null)
        {
            Assert.InRange(answer.Status, 400, 499);
            answer.MustKeepThePromises("PUT");
        }
        await server.MustHaveStayedInsideAsync();
    }

    [Fact]
    public async Task Hundreds_of_connections_that_say_nothing_do_not_stop_the_others()
    {
        await using var server = await FuzzServer.StartAsync();
        var silent = Enumerable.Range(0, 300).Select(_ => server.Http.TrickleAsync("POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"u8.ToArray(), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2))).ToArray();
        for (var i = 0; i < 50; i++) Assert.Equal(200, (await server.Http.SendAsync(HttpFuzzTests.Request("GET", "/v2/", "", [])))!.Status);
        foreach (var answer in await Task.WhenAll(silent)) answer?.MustKeepThePromises("POST");
        await server.MustHaveStayedInsideAsync();
    }
}
