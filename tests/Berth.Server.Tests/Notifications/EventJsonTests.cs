using System.Text;
using Berth.Server.Notifications;
using Berth.Server.Registry;

namespace Berth.Server.Tests.Notifications;

public sealed class EventJsonTests
{
    private static readonly Guid Id = Guid.Parse("01890a5d-ac96-774b-bcce-b302099a8057");
    private static readonly DateTimeOffset At = new DateTimeOffset(2026, 5, 4, 3, 2, 1, TimeSpan.Zero).AddMilliseconds(250);
    private static readonly NotificationSource Source = new("node1:5000", "6d3e4f4c-8d5b-4d0e-9c33-0d2f9b4e1f11");

    [Fact]
    public void Envelopes_are_the_approved_ones()
    {
        var all = new StringBuilder();
        foreach (var e in new[] { SampleEvents.ManifestPush("latest"), SampleEvents.BlobPull, SampleEvents.BlobMount, SampleEvents.ManifestDelete, SampleEvents.TagDelete })
            all.Append(Envelope(e, includeReferences: false)).Append('\n');
        all.Append(Envelope(SampleEvents.ManifestPush("latest"), includeReferences: true)).Append('\n');
        Approval.Verify(all.ToString(), "notification-envelopes.txt");
    }

    [Fact]
    public void An_envelope_is_written_as_Docker_Registry_writes_it()
    {
        // The fields, their order and the indentation that Docker Registry's own documentation and tests show.
        var e = new RegistryEvent
        {
            Action = RegistryEventAction.Push,
            Repository = "library/test",
            Digest = "sha256:3b3692957d439ac1928219a83fac91e7bf96c153725526874673ae1f2023f8d5",
            MediaType = "application/vnd.docker.distribution.manifest.v2+json",
            Size = 2,
            Actor = "test-actor",
            Request = new EventRequest("asdfasdf", "client.local", "registrycluster.local", "PUT", "test/0.1", "http://example.com"),
        };
        var written = EventJson.Write(e, Id, new DateTimeOffset(2006, 1, 2, 15, 4, 5, TimeSpan.Zero), new NotificationSource("hostname.local:port", ""), false);
        const string Expected = """
            {
               "events": [
                  {
                     "id": "01890a5d-ac96-774b-bcce-b302099a8057",
                     "timestamp": "2006-01-02T15:04:05Z",
                     "action": "push",
                     "target": {
                        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                        "size": 2,
                        "digest": "sha256:3b3692957d439ac1928219a83fac91e7bf96c153725526874673ae1f2023f8d5",
                        "length": 2,
                        "repository": "library/test",
                        "url": "http://example.com/v2/library/test/manifests/sha256:3b3692957d439ac1928219a83fac91e7bf96c153725526874673ae1f2023f8d5"
                     },
                     "request": {
                        "id": "asdfasdf",
                        "addr": "client.local",
                        "host": "registrycluster.local",
                        "method": "PUT",
                        "useragent": "test/0.1"
                     },
                     "actor": {
                        "name": "test-actor"
                     },
                     "source": {
                        "addr": "hostname.local:port"
                     }
                  }
               ]
            }
            """;
        Assert.Equal(Expected, Encoding.UTF8.GetString(EventJson.Envelope(written)));
    }

    [Theory]
    [InlineData("http://localhost:5000", ":5000")]
    [InlineData("http://*:8443/", ":8443")]
    [InlineData("http://[::]:5001", ":5001")]
    [InlineData("unix:/run/berth.sock", "")]
    [InlineData(null, "")]
    public void The_source_is_this_machine_with_the_port_of_the_listener(string? url, string port)
    {
        var source = NotificationSource.OfThisProcess(url, TimeProvider.System);
        Assert.Equal(Environment.MachineName + port, source.Addr);
        Assert.NotEqual(source.InstanceId, NotificationSource.OfThisProcess(url, TimeProvider.System).InstanceId);
    }

    private static string Envelope(RegistryEvent e, bool includeReferences) =>
        Encoding.UTF8.GetString(EventJson.Envelope(EventJson.Write(e, Id, At, Source, includeReferences)));
}
