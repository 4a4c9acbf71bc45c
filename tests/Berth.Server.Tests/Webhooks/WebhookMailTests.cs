using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Server.Platform.Data;

namespace Berth.Server.Tests.Webhooks;

public sealed class WebhookMailTests
{
    [Fact]
    public async Task An_event_arrives_as_mail()
    {
        using var server = new MailServer();
        await using var site = await WebhookSite.StartAsync(DatabaseKind.Sqlite, o => o with
        {
            Webhooks = new() { Smtp = new() { Host = "127.0.0.1", Port = server.Port, Tls = false, From = "berth@berth.example" } },
        });
        var policy = site.Policy();
        policy["targets"]![0] = new JsonObject { ["type"] = "email", ["address"] = "ops@berth.example" };
        var location = await site.CreateAsync(policy);
        await site.PushAsync("library/app", "v1");
        await site.DeliveriesAsync(location, "Success", 1);
        var mail = await server.Mail.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.Contains("MAIL FROM:<berth@berth.example>", mail, StringComparison.Ordinal);
        Assert.Contains("RCPT TO:<ops@berth.example>", mail, StringComparison.Ordinal);
        Assert.Contains("PUSH_ARTIFACT", mail, StringComparison.Ordinal);
        Assert.Contains("library/app", mail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("a b")]
    public async Task What_is_no_mail_address_is_refused(string address)
    {
        await using var site = await WebhookSite.StartAsync(DatabaseKind.Sqlite, o => o with { Webhooks = new() { Smtp = new() { Host = "127.0.0.1", From = "a@b.example" } } });
        var policy = site.Policy();
        policy["targets"]![0] = new JsonObject { ["type"] = "email", ["address"] = address };
        Assert.Equal(400, (await site.SendAsync(HttpMethod.Post, WebhookSite.Policies, policy)).Status);
    }

    /// <summary>Takes one mail as RFC 5321 wants it, and keeps the whole talk.</summary>
    private sealed class MailServer : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

        public MailServer()
        {
            _listener.Start();
            Mail = Task.Run(TakeAsync);
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public Task<string> Mail { get; }

        public void Dispose() => _listener.Dispose();

        private async Task<string> TakeAsync()
        {
            using var client = await _listener.AcceptTcpClientAsync();
            using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);
            await using var writer = new StreamWriter(client.GetStream(), Encoding.ASCII) { AutoFlush = true, NewLine = "\r\n" };
            var talk = new StringBuilder();
            var isData = false;
            await writer.WriteLineAsync("220 mail.example");
            while (await reader.ReadLineAsync() is { } line)
            {
                talk.Append(line).Append('\n');
                if (isData && line != ".") continue;
                var word = isData ? "." : line.Split(' ')[0].ToUpperInvariant();
                isData = word == "DATA";
                await writer.WriteLineAsync(word switch { "DATA" => "354 go on", "QUIT" => "221 bye", "EHLO" => "250 mail.example", _ => "250 ok" });
                if (word is "QUIT" or ".") return talk.ToString();
            }
            return talk.ToString();
        }
    }
}
