using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Oci;
using Berth.Server.Access;
using Berth.Server.Identity;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Notifications;
using Berth.Server.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Webhooks;

/// <summary>A server with an administrator and a receiver of webhooks; loopback is allowed unless a test says otherwise.</summary>
internal sealed class WebhookSite : IAsyncDisposable
{
    public const string Policies = "/api/v2.0/projects/library/webhook/policies";
    public const string Webhooks = "/api/berth/v1/webhooks";
    private const string Password = "Correct-Horse-9";

    private static readonly (string, string) s_admin = ("Authorization", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"admin:{Password}")));

    private WebhookSite(RegistryApp app, Receiver receiver) => (App, Receiver) = (app, receiver);

    public RegistryApp App { get; }

    public Receiver Receiver { get; }

    public static async Task<WebhookSite> StartAsync(DatabaseKind kind, Func<BerthOptions, BerthOptions>? more = null)
    {
        var app = await RegistryApp.StartAsync(kind, more: options =>
        {
            var local = options with { Access = new() { Mode = AccessMode.Local }, Outgoing = new() { Allow = ["127.0.0.1"] } };
            return more is null ? local : more(local);
        });
        await app.Services.GetRequiredService<FirstAdmin>().EnsureAsync(Password, CancellationToken.None);
        return new WebhookSite(app, await Receiver.StartAsync());
    }

    /// <summary>A call as the administrator.</summary>
    public Task<Answer> SendAsync(HttpMethod method, string path, JsonNode? body = null) =>
        App.SendAsync(method, path, body is null ? null : new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"), s_admin);

    public async Task<JsonNode> GetAsync(string path)
    {
        var answer = await SendAsync(HttpMethod.Get, path);
        Assert.True(answer.Status == 200, $"{path}: {answer.Status} {answer.Text}");
        return JsonNode.Parse(answer.Body)!;
    }

    /// <summary>Creates a policy; its address.</summary>
    public async Task<string> CreateAsync(JsonNode policy, string at = Policies)
    {
        var answer = await SendAsync(HttpMethod.Post, at, policy);
        Assert.True(answer.Status == 201, answer.Text);
        return answer.Location;
    }

    /// <summary>A policy for pushes with one target, the receiver.</summary>
    public JsonObject Policy(string name = "p", params string[] eventTypes) => new()
    {
        ["name"] = name,
        ["enabled"] = true,
        ["event_types"] = new JsonArray([.. (eventTypes.Length == 0 ? ["PUSH_ARTIFACT"] : eventTypes).Select(t => JsonValue.Create(t))]),
        ["targets"] = new JsonArray(new JsonObject { ["type"] = "http", ["address"] = Receiver.Url }),
    };

    /// <summary>Pushes an image whose bytes depend on the seed.</summary>
    public async Task<Digest> PushAsync(string repository, string reference, int seed = 1)
    {
        var image = TestImage.New(seed);
        foreach (var blob in image.Blobs)
        {
            var pushed = await App.SendAsync(HttpMethod.Post, $"/v2/{repository}/blobs/uploads/?digest={Digest.Of(blob)}", new ByteArrayContent(blob), s_admin);
            Assert.True(pushed.Status == 201, pushed.Text);
        }
        var body = new ByteArrayContent(image.Manifest);
        body.Headers.ContentType = MediaTypeHeaderValue.Parse(image.MediaType);
        var answer = await App.SendAsync(HttpMethod.Put, $"/v2/{repository}/manifests/{reference}", body, s_admin);
        Assert.True(answer.Status == 201, answer.Text);
        return image.Digest;
    }

    /// <summary>Bodies that came, in the order in which they came.</summary>
    public IReadOnlyList<JsonNode> Bodies => [.. Receiver.Requests.Select(r => JsonNode.Parse(r.Body)!)];

    /// <summary>Tags of the artifacts in the bodies.</summary>
    public IReadOnlyList<string> Tags => [.. Bodies.Select(b => (string)b["event_data"]!["resources"]![0]!["tag"]!)];

    /// <summary>Until so many deliveries of a policy have a status.</summary>
    public Task DeliveriesAsync(string location, string status, int count) => Eventually.TrueAsync(async () =>
        (await GetAsync($"{Webhooks}/{IdOf(location)}/deliveries?status={status}&page_size=100")).AsArray().Count == count, $"{count} deliveries {status}");

    public static long IdOf(string location) => long.Parse(location[(location.LastIndexOf('/') + 1)..]);

    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        await Receiver.DisposeAsync();
    }
}
