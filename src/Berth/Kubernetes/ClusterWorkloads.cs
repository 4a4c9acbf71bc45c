using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace Berth.Kubernetes;

/// <summary>Lists the workloads of a cluster by its API, page by page.</summary>
internal static class ClusterWorkloads
{
    private const int PageSize = 250;
    private const int MaxPages = 1000;
    private const int MaxPageBytes = 128 * 1024 * 1024;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private static readonly (string Group, string Plural, string Kind)[] Kinds =
    [
        ("/apis/apps/v1", "deployments", "Deployment"), ("/apis/apps/v1", "statefulsets", "StatefulSet"), ("/apis/apps/v1", "daemonsets", "DaemonSet"), ("/apis/apps/v1", "replicasets", "ReplicaSet"),
        ("/apis/batch/v1", "cronjobs", "CronJob"), ("/apis/batch/v1", "jobs", "Job"), ("/api/v1", "replicationcontrollers", "ReplicationController"), ("/api/v1", "pods", "Pod"),
    ];

    /// <summary>Lists workloads.</summary>
    /// <param name="config">The cluster.</param>
    /// <param name="space">Only of this namespace; empty for all.</param>
    /// <param name="tell">Told of kinds that may not be listed.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="IOException">The cluster cannot be asked.</exception>
    public static async Task<IReadOnlyList<Workload>> ListAsync(KubeConfig config, string space, Action<string> tell, CancellationToken ct)
    {
        using var http = new HttpClient(Handler(config)) { Timeout = Timeout, MaxResponseContentBufferSize = MaxPageBytes };
        if (config.Token.Length > 0) http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", config.Token);
        var found = new List<Workload>();
        var refused = 0;
        foreach (var (group, plural, kind) in Kinds)
        {
            var path = space.Length > 0 ? $"{group}/namespaces/{Uri.EscapeDataString(space)}/{plural}" : $"{group}/{plural}";
            if (await TakeAsync(http, config.Server, path, kind, found, tell, ct)) continue;
            refused++;
        }
        return refused == Kinds.Length ? throw new IOException($"{config.Server} lists no workloads for this user") : found;
    }

    // False when the kind may not be listed, or is not known there.
    private static async Task<bool> TakeAsync(HttpClient http, Uri server, string path, string kind, List<Workload> found, Action<string> tell, CancellationToken ct)
    {
        var next = "";
        for (var page = 0; page < MaxPages; page++)
        {
            var address = new Uri($"{server.AbsoluteUri.TrimEnd('/')}{path}?limit={PageSize}{(next.Length > 0 ? $"&continue={Uri.EscapeDataString(next)}" : "")}");
            try
            {
                using var answer = await http.GetAsync(address, ct);
                if (answer.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.NotFound)
                {
                    tell($"{path}: {server.Authority} answered {(int)answer.StatusCode}, left out");
                    return false;
                }
                if (!answer.IsSuccessStatusCode) throw new IOException($"{path}: {server.Authority} answered {(int)answer.StatusCode}");
                var bytes = await answer.Content.ReadAsByteArrayAsync(ct);
                found.AddRange(WorkloadDocuments.Read(Encoding.UTF8.GetString(bytes), kind));
                next = ContinueOf(bytes);
                if (next.Length == 0) return true;
            }
            catch (HttpRequestException e)
            {
                throw new IOException($"{server.Authority} cannot be asked: {e.InnerException?.Message ?? e.Message}", e);
            }
            catch (JsonException e)
            {
                throw new IOException($"{path}: {server.Authority} answered with something that is no JSON", e);
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                throw new IOException($"{server.Authority} did not answer within {Timeout.TotalSeconds:0} s");
            }
        }
        throw new IOException($"{path} has more than {MaxPages} pages");
    }

    private static string ContinueOf(byte[] page)
    {
        using var json = JsonDocument.Parse(page);
        return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("metadata", out var metadata) && metadata.ValueKind == JsonValueKind.Object
            && metadata.TryGetProperty("continue", out var next) && next.ValueKind == JsonValueKind.String ? next.GetString()! : "";
    }

    private static SocketsHttpHandler Handler(KubeConfig config)
    {
        var tls = new SslClientAuthenticationOptions();
        if (config.ServerName.Length > 0) tls.TargetHost = config.ServerName;
        if (config.Certificate is { } certificate) tls.ClientCertificates = [certificate];
        if (config.IsInsecure)
        {
#pragma warning disable CA5359 // The kubeconfig asks for it (insecure-skip-tls-verify).
            tls.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        }
        else if (config.Authorities is { } authorities)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.AddRange(authorities);
            tls.CertificateChainPolicy = policy;
        }
        return new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(15), SslOptions = tls };
    }
}
