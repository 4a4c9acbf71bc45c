using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Berth.Oci;

namespace Berth.Server.Tests.Adoption;

/// <summary>Docker Registry's own program on a folder of its own, or in a bucket; where it is not installed the test is skipped.</summary>
internal sealed class DockerRegistryProcess : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("berth-docker-registry-").FullName;
    private readonly string _program;
    private readonly int _port;
    private Process? _process;

    /// <param name="driver">Its block <c>storage</c> in one line; null for the folder.</param>
    public DockerRegistryProcess(string? driver = null)
    {
        var found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(p => Path.Join(p, "docker-registry")).FirstOrDefault(File.Exists);
        Assert.SkipWhen(found is null, "docker-registry is not installed");
        _program = found;
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            _port = ((IPEndPoint)listener.LocalEndpoint).Port;
        }
        Directory.CreateDirectory(Root);
        File.WriteAllText(Config, $"""
            version: 0.1
            log: {"{"}level: error, accesslog: {"{"}disabled: true{"}"}{"}"}
            storage: {"{"}{driver ?? $"filesystem: {"{"}rootdirectory: {Root}{"}"}"}, redirect: {"{"}disable: true{"}"}, delete: {"{"}enabled: true{"}"}{"}"}
            http: {"{"}addr: "127.0.0.1:{_port}"{"}"}

            """);
        Http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{_port}/v2/") };
    }

    public string Root => Path.Join(_folder, "data");

    public string Config => Path.Join(_folder, "config.yml");

    public HttpClient Http { get; }

    public async Task StartAsync()
    {
        _process = Start("serve", Config);
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                return (await Http.GetAsync(Http.BaseAddress)).IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }, "serving");
    }

    public void Stop()
    {
        _process?.Kill();
        _process?.WaitForExit();
        _process?.Dispose();
        _process = null;
    }

    /// <summary>Runs the program to its end; its output.</summary>
    public async Task<string> RunAsync(params string[] arguments)
    {
        using var process = Start(arguments);
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await errors);
        return output;
    }

    public Task<Digest> PushBlobAsync(string repository, string content) => PushBlobAsync(repository, Encoding.UTF8.GetBytes(content));

    public async Task<Digest> PushBlobAsync(string repository, byte[] bytes)
    {
        var digest = Digest.Of(bytes);
        using var started = await Http.PostAsync($"{repository}/blobs/uploads/", null);
        var location = started.Headers.Location!.ToString();
        using var body = new ByteArrayContent(bytes);
        using var done = await Http.PutAsync($"{location}{(location.Contains('?', StringComparison.Ordinal) ? '&' : '?')}digest={digest}", body);
        Assert.Equal(HttpStatusCode.Created, done.StatusCode);
        return digest;
    }

    /// <summary>Pushes a manifest under a tag, or under its digest alone.</summary>
    public async Task<Digest> PushManifestAsync(string repository, string json, string? tag, string mediaType = MediaTypes.OciManifest)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        var digest = Digest.Of(bytes);
        using var body = new ByteArrayContent(bytes);
        body.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        using var done = await Http.PutAsync($"{repository}/manifests/{tag ?? digest.Value}", body);
        Assert.True(done.StatusCode == HttpStatusCode.Created, await done.Content.ReadAsStringAsync());
        return digest;
    }

    /// <summary>The bytes of a manifest.</summary>
    public async Task<byte[]> PullManifestAsync(string repository, string reference)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{repository}/manifests/{reference}");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(MediaTypes.OciManifest));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(MediaTypes.OciIndex));
        using var response = await Http.SendAsync(request);
        return await response.Content.ReadAsByteArrayAsync();
    }

    public async Task<string> ImageJsonAsync(string repository, string name, Digest subject = default)
    {
        string[] contents = [$"{{\"config\":\"{name}\"}}", $"base of {repository}", $"layer of {name}"];
        var parts = new List<string>();
        foreach (var content in contents)
            parts.Add(RegistryLayout.Descriptor(parts.Count == 0 ? MediaTypes.OciConfig : "application/vnd.oci.image.layer.v1.tar", await PushBlobAsync(repository, content), content.Length));
        var about = subject.IsDefault ? "" : $",\"subject\":{RegistryLayout.Descriptor(MediaTypes.OciManifest, subject, 1)}";
        return $"{{\"schemaVersion\":2,\"mediaType\":\"{MediaTypes.OciManifest}\",\"config\":{parts[0]},\"layers\":[{parts[1]},{parts[2]}]{about}}}";
    }

    public void Dispose()
    {
        Stop();
        Http.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(_program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        // Its S3 driver does not start with a bundle of certificates from outside.
        start.Environment.Remove("AWS_CA_BUNDLE");
        return Process.Start(start)!;
    }
}
