using System.Text;
using Berth.Server.Audit;

namespace Berth.Server.Tests.Audit;

public sealed class SyslogMessageTests
{
    [Fact]
    public void A_message_has_its_length_before_it_and_escapes_what_must_be()
    {
        var entry = new AuditEntry
        {
            Id = 7,
            At = 1_767_225_600_123,
            Operation = "create",
            ResourceType = "artifact",
            Resource = "library/a\"]\\b:v1",
            Actor = "jürgen",
            Address = "10.0.0.1",
            RequestId = "r1",
            ProjectId = 3,
            Description = "push\nartifact",
            Count = 2,
        };

        var text = Encoding.UTF8.GetString(SyslogMessage.Write(entry, "host 1", 42));

        var blank = text.IndexOf(' ', StringComparison.Ordinal);
        Assert.Equal(int.Parse(text[..blank]), Encoding.UTF8.GetByteCount(text[(blank + 1)..]));
        Assert.Equal(
            "<110>1 2026-01-01T00:00:00.123Z host1 berth 42 create_artifact [audit@32473 id=\"7\" operation=\"create\" resource_type=\"artifact\" " +
            "resource=\"library/a\\\"\\]\\\\b:v1\" actor=\"jürgen\" address=\"10.0.0.1\" request_id=\"r1\" project_id=\"3\" successful=\"true\" count=\"2\"] \uFEFFpush artifact",
            text[(blank + 1)..]);
    }

    [Fact]
    public void What_was_refused_is_a_warning()
    {
        var entry = new AuditEntry { Operation = "login", ResourceType = "user", Resource = "x", Actor = "x", IsSuccessful = false };
        Assert.Contains("<108>1 ", Encoding.UTF8.GetString(SyslogMessage.Write(entry, "", 1)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("logs.example.com:601", "syslog://logs.example.com:601")]
    [InlineData("10.0.0.1:10514", "syslog://10.0.0.1:10514")]
    [InlineData("syslog://logs", "syslog://logs:601")]
    [InlineData("syslog+tls://logs", "syslog+tls://logs:6514")]
    [InlineData("https://logs/in?key=1", "https://logs/in")]
    [InlineData("udp://logs:514", null)]
    [InlineData("https://user:pw@logs", null)]
    [InlineData("http://", null)]
    public void A_target_is_read(string text, string? shown) => Assert.Equal(shown, AuditTarget.TryParse(text)?.ToString());
}
