using System.Net;
using System.Text;
using System.Text.Json;
using Berth.Server.Platform.Telemetry;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Tests.Platform.Telemetry;

public sealed class LogTests
{
    private static readonly StoppedTime s_time = new(new DateTimeOffset(2026, 11, 22, 1, 45, 32, 123, TimeSpan.Zero));

    internal static readonly RequestLine Line = new()
    {
        Method = "GET",
        Target = "/v2/library/debian/manifests/12?ns=docker.io",
        Protocol = "HTTP/1.1",
        Status = 200,
        Elapsed = TimeSpan.FromMicroseconds(1234.5),
        RequestId = "00c0ffee00c0ffee",
        Route = "manifest",
        BytesSent = 1234,
        BytesReceived = 0,
        Remote = IPAddress.Parse("::ffff:203.0.113.9"),
        Caller = "alice",
        Repository = "library/debian",
        UserAgent = "containerd/2.0 \"x\"",
    };

    [Theory]
    [InlineData(LogFormat.Text, "log-text.txt")]
    [InlineData(LogFormat.Json, "log-json.txt")]
    [InlineData(LogFormat.Logstash, "log-logstash.txt")]
    public void Lines_have_the_approved_form(LogFormat format, string file)
    {
        var lines = Write(new LogOptions { Format = format, Fields = new Dictionary<string, string> { ["site"] = "north 1", ["level"] = "shadow" } }, logger =>
        {
            logger.LogInformation("upload committed {Repository} {SizeBytes}", "library/debian", 12345L);
            logger.LogWarning("plain \"quoted\" text\nwith a second line");
            logger.LogError(new InvalidDataException("disk \"gone\""), "request failed {Path}", "/v2/");
            logger.LogDebug("numbers {Ratio} {Yes} {Nothing} {Names}", 0.5, true, null, new[] { "a", "b" });
            logger.Log(LogLevel.Information, new EventId(1), Line, null, (_, _) => "");
        });
        Approval.Verify(lines, file);
        if (format == LogFormat.Text) return;
        foreach (var line in lines.TrimEnd().Split('\n'))
        {
            using var document = JsonDocument.Parse(line);
            var names = document.RootElement.EnumerateObject().Select(property => property.Name).ToArray();
            Assert.Equal(names.Distinct(), names);
        }
    }

    [Fact]
    public void The_access_log_is_in_combined_log_format()
    {
        using var bytes = new MemoryStream();
        using (var output = new LogOutput(bytes))
        {
            var log = new AccessLog(output, s_time);
            log.Write(Line);
            log.Write(Line with { Caller = null, UserAgent = null, Remote = null, Status = 499, Target = "/a\"b c", Referer = "http://u:pw@x/?token=abc" });
            log.Write(Line with { Caller = "eve [x] \n", Target = "/token?account=a&password=geheim&scope=x", Remote = IPAddress.IPv6Loopback });
        }
        Approval.Verify(Encoding.UTF8.GetString(bytes.ToArray()), "access-log.txt");
    }

    [Theory]
    [InlineData("Authorization: Bearer eyJhbGciOi.J9.abc", "Authorization: ***")]
    [InlineData("header authorization=Basic YWxpY2U6Z2VoZWlt next", "header authorization=***")]
    [InlineData("sent Bearer eyJhbGciOiJSUzI1NiJ9 to x", "sent Bearer *** to x")]
    [InlineData("the bearer of bad news", "the bearer of bad news")]
    [InlineData("token expired", "token expired")]
    [InlineData("invalid token: expired at noon", "invalid token: expired at noon")]
    [InlineData("GET /token?service=x&access_token=abc.def&scope=y", "GET /token?service=x&access_token=***&scope=y")]
    [InlineData("Host=db;Username=berth;Password=geheim;Database=b", "Host=db;Username=berth;Password=***;Database=b")]
    [InlineData("""{"user":"a","password":"geheim","n":1}""", """{"user":"a","password":"***","n":1}""")]
    [InlineData("https://alice:geheim@registry.example/v2/", "https://alice:***@registry.example/v2/")]
    [InlineData("https://bucket/x?X-Amz-Signature=0a1b&X-Amz-Credential=AK%2F1", "https://bucket/x?X-Amz-Signature=***&X-Amz-Credential=***")]
    [InlineData("client_secret=abc refresh_token=def", "client_secret=*** refresh_token=***")]
    [InlineData("digest=sha256:abc&mount=sha256:def", "digest=sha256:abc&mount=sha256:def")]
    [InlineData("mail to alice@example.org", "mail to alice@example.org")]
    [InlineData("PUT /v2/a/blobs/uploads/1?_state=HMAC&digest=sha256:1", "PUT /v2/a/blobs/uploads/1?_state=***&digest=sha256:1")]
    public void Secrets_are_taken_out(string text, string expected) => Assert.Equal(expected, Redaction.Of(text));

    [Fact]
    public void A_text_without_secrets_is_not_copied()
    {
        var text = new string("upload committed".ToCharArray());
        Assert.Same(text, Redaction.Of(text));
    }

    [Theory]
    [InlineData("Password", true)]
    [InlineData("AccessToken", true)]
    [InlineData("client_secret", true)]
    [InlineData("Authorization", true)]
    [InlineData("TokenCount", false)]
    [InlineData("Repository", false)]
    public void A_field_with_a_secret_name_is_masked(string name, bool secret) => Assert.Equal(secret, Redaction.IsSecretName(name));

    [Fact]
    public void A_secret_field_is_masked_in_a_line()
    {
        var lines = Write(new LogOptions { Format = LogFormat.Json }, logger => logger.LogInformation("signed in {UserPassword}", "geheim"));
        Assert.DoesNotContain("geheim", lines.Replace("signed in geheim", ""));
        Assert.Contains("\"user_password\":\"***\"", lines);
    }

    [Fact]
    public void A_writer_never_waits_for_a_stream_that_is_stuck_and_lost_lines_are_told()
    {
        using var stuck = new StuckStream();
        var output = new LogOutput(stuck, limitBytes: 1000);
        var line = Encoding.ASCII.GetBytes(new string('x', 99) + "\n");
        output.Write(line, urgent: true);
        Assert.True(stuck.Reached.Wait(TimeSpan.FromSeconds(10)));
        for (var i = 0; i < 50; i++) output.Write(line);
        Assert.Equal(40, output.Dropped);
        stuck.LetGo.Set();
        output.Dispose();
        output.Write("late\n"u8);
        var text = Encoding.ASCII.GetString(stuck.ToArray());
        Assert.Equal(11, text.Split('\n').Count(row => row.StartsWith('x')));
        Assert.Contains("# 40 log lines were dropped", text);
        Assert.EndsWith("late\n", text);
    }

    [Fact]
    public void Lines_of_many_threads_arrive_whole_and_each_once()
    {
        using var bytes = new MemoryStream();
        using (var output = new LogOutput(bytes))
        {
            Parallel.For(0, 20_000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i => output.Write(LineBuffer.Mine().Raw("line "u8).Number(i).Raw(" end\n"u8).Written));
            Assert.Equal(0, output.Dropped);
        }
        var rows = Encoding.ASCII.GetString(bytes.ToArray()).TrimEnd().Split('\n');
        Assert.Equal(Enumerable.Range(0, 20_000).Select(i => $"line {i} end").Order(StringComparer.Ordinal), rows.Order(StringComparer.Ordinal));
    }

    private static string Write(LogOptions options, Action<ILogger> log)
    {
        using var bytes = new MemoryStream();
        using (var output = new LogOutput(bytes))
        using (var provider = new LogProvider(options, output, s_time))
        {
            log(provider.CreateLogger("Berth.Server.Registry.Push"));
        }
        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    private sealed class StoppedTime(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }

    private sealed class StuckStream : MemoryStream
    {
        public readonly ManualResetEventSlim Reached = new();
        public readonly ManualResetEventSlim LetGo = new();

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Reached.Set();
            LetGo.Wait(TimeSpan.FromSeconds(10));
            base.Write(buffer);
        }
    }
}
