using System.Text;
using System.Text.Json;
using Berth.Server.Webhooks;

namespace Berth.Server.Tests.Webhooks;

/// <summary>What receivers get to read.</summary>
public sealed class WebhookFormatsTests
{
    private static readonly WebhookEvent s_event = new()
    {
        Id = Guid.Parse("0198a1b2-0000-7000-8000-000000000001"),
        RequestId = "2eedfab8",
        ProjectId = 3,
        Repository = "library/team/app",
        Tag = "v1",
        Body = new WebhookBody
        {
            Type = WebhookEventTypes.PushArtifact,
            OccurAt = 1_678_082_303,
            Operator = "robot$ci <\"&>",
            EventData = new WebhookData
            {
                Resources = [new WebhookResource { Digest = "sha256:aa", Tag = "v1", ResourceUrl = "berth.example/library/team/app:v1" }],
                Repository = new WebhookRepository { DateCreated = 1_677_053_165, Name = "team/app", Namespace = "library", RepoFullName = "library/team/app", RepoType = "public" },
            },
        },
    };

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    [Fact]
    public void The_bodies_are_as_approved()
    {
        var all = new StringBuilder();
        void Add(string title, WebhookTarget target)
        {
            var content = WebhookFormats.Write(target, s_event, policyId: 7);
            var text = content.ContentType.Contains("json", StringComparison.Ordinal)
                ? JsonSerializer.Serialize(JsonDocument.Parse(content.Text).RootElement, s_indented)
                : content.Text;
            all.Append(title).Append(": ").Append(content.ContentType).Append('\n').Append(text).Append("\n\n");
        }

        var http = new WebhookTarget { Type = "http", Address = "http://a" };
        Add("Default", http with { Format = "Default" });
        Add("CloudEvents", http with { Format = "CloudEvents" });
        Add("Template", http with { Format = "Template", Template = """{"text":"{{operator}} {{type}} {{ event_data.resources.0.tag }}{{nothing.here}}","at":{{occur_at}},"all":{{event_data.resources}}}""" });
        Add("Slack", http with { Type = "slack" });
        Add("E-mail", http with { Type = "email" });
        Approval.Verify(all.ToString(), "webhook-payloads.txt");
    }

    [Theory]
    [InlineData("""{"text":"{{type}}"}""", true)]
    [InlineData("""{"at":{{occur_at}}}""", true)]
    [InlineData("""[]""", true)]
    [InlineData("", false)]
    [InlineData("""{"text":"{{type"}""", false)]
    [InlineData("""{"text":{{type}}}""", false)]
    [InlineData("""{"text":"{{type}}\"}""", false)]
    public void A_template_must_give_JSON(string template, bool isGood) => Assert.Equal(isGood, WebhookTemplate.ProblemOf(template) is null);

    [Fact]
    public void The_signature_is_that_of_openssl()
    {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac key
        Assert.Equal("sha256=" + Signature, WebhookSignature.Of("key", 1_700_000_000, """{"a":1}"""u8));
    }

    private const string Signature = "a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03";
}
