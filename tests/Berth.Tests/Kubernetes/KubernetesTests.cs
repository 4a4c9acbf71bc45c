using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Kubernetes;
using Berth.Server.Tests.Platform.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace Berth.Tests.Kubernetes;

public sealed class KubernetesTests : IDisposable
{
    private const string Documents = """
        apiVersion: v1
        kind: Pod
        metadata: {name: one, namespace: shop}
        spec:
          initContainers: [{name: i, image: "init:1"}]
          containers: [{name: a, image: "web:1"}, {name: b, image: "web:1"}]
        ---
        # nothing
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web}
        spec: {template: {spec: {containers: [{name: a, image: registry.example.com/web:2}]}}}
        ---
        apiVersion: batch/v1
        kind: CronJob
        metadata: {name: nightly, namespace: shop}
        spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: a, image: "tool:1"}]}}}}}
        ---
        apiVersion: v1
        kind: List
        items:
          - kind: DaemonSet
            metadata: {name: agent, namespace: ops}
            spec: {template: {spec: {containers: [{name: a, image: "agent:1"}]}}}
          - kind: Pod
            metadata: {name: agent-x1, namespace: ops, ownerReferences: [{kind: DaemonSet, controller: true}]}
            spec: {containers: [{name: a, image: "agent:1"}]}
          - kind: Service
            metadata: {name: s}
        """;

    private static readonly Dictionary<string, string> s_variables = new() { ["PATH"] = Environment.GetEnvironmentVariable("PATH") ?? "", ["OWN"] = "own" };

    private readonly TestCertificates certificates = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => certificates.Dispose();

    [Fact]
    public void Workloads_are_read_out_of_documents_and_what_another_makes_is_left_out()
    {
        var found = WorkloadDocuments.Read(Documents);
        Assert.Equal(
            ["shop Pod/one init:1 web:1", "default Deployment/web registry.example.com/web:2", "shop CronJob/nightly tool:1", "ops DaemonSet/agent agent:1"],
            found.Select(static one => $"{one.Namespace} {one.Kind}/{one.Name} {string.Join(' ', one.Images)}"));
        Assert.Equal("j:1", Assert.Single(WorkloadDocuments.Read("""{"kind":"Pod","metadata":{"name":"j"},"spec":{"containers":[{"image":"j:1"}]}}""")).Images[0]);
        Assert.Throws<InvalidDataException>(() => WorkloadDocuments.Read("a: [b"));
        Assert.Empty(WorkloadDocuments.Read("just text"));
    }

    [Theory]
    [InlineData("certificate")]
    [InlineData("token")]
    [InlineData("program with token")]
    [InlineData("program with certificate")]
    public async Task A_cluster_is_listed_page_by_page_with_a_certificate_or_a_token(string way)
    {
        using var authority = TestCertificates.Authority("cluster");
        using var server = TestCertificates.Issue(authority, "api");
        using var client = TestCertificates.Issue(authority, "ann", forClient: true);
        certificates.Save(client, "ann.crt", "ann.key");
        await File.WriteAllTextAsync(certificates.Path("ca.crt"), authority.ExportCertificatePem(), Ct);
        await File.WriteAllTextAsync(certificates.Path("token"), "t0ken\n", Ct);
        var asked = new List<string>();
        await using var cluster = await ClusterAsync(server, asked);
        var file = certificates.Path("config");
        await File.WriteAllTextAsync(file, Config(cluster.Urls.First(), way switch
        {
            "certificate" => "{client-certificate: ann.crt, client-key: ann.key}",
            "token" => "{tokenFile: token}",
            _ => await ProgramAsync(way == "program with token"
                ? new JsonObject { ["token"] = "t0ken", ["expirationTimestamp"] = "2031-01-01T00:00:00Z" }
                : new JsonObject { ["clientCertificateData"] = await File.ReadAllTextAsync(certificates.Path("ann.crt"), Ct), ["clientKeyData"] = await File.ReadAllTextAsync(certificates.Path("ann.key"), Ct) }),
        }), Ct);

        using var config = await KubeConfig.ReadAsync(file, null, s_variables, Ct);
        Assert.Equal(("test", "shop"), (config.Context, config.Namespace));
        var told = new List<string>();
        var found = await ClusterWorkloads.ListAsync(config, "shop", told.Add, Ct);
        Assert.Equal(["Deployment/web0", "Deployment/web1", "Pod/lone"], found.Select(static one => $"{one.Kind}/{one.Name}"));
        Assert.Contains("/apis/apps/v1/namespaces/shop/deployments?limit=250&continue=next", asked);
        Assert.Contains(told, static line => line.Contains("cronjobs", StringComparison.Ordinal));
        Assert.All(asked, static line => Assert.Contains("/namespaces/shop/", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_server_that_is_not_trusted_and_a_sign_in_that_is_not_known_are_told()
    {
        using var authority = TestCertificates.Authority("cluster");
        using var other = TestCertificates.Authority("another");
        using var server = TestCertificates.Issue(authority, "api");
        await File.WriteAllTextAsync(certificates.Path("ca.crt"), other.ExportCertificatePem(), Ct);
        await using var cluster = await ClusterAsync(server, []);
        var file = certificates.Path("config");
        await File.WriteAllTextAsync(file, Config(cluster.Urls.First(), "{token: t0ken}"), Ct);
        using (var config = await KubeConfig.ReadAsync(file, "test", s_variables, Ct)) await Assert.ThrowsAsync<IOException>(() => ClusterWorkloads.ListAsync(config, "", static _ => { }, Ct));
        await Assert.ThrowsAsync<InvalidDataException>(() => KubeConfig.ReadAsync(file, "none", s_variables, Ct));
        await File.WriteAllTextAsync(file, Config(cluster.Urls.First(), "{auth-provider: {name: oidc}}"), Ct);
        Assert.Contains("auth-provider", (await Assert.ThrowsAsync<InvalidDataException>(() => KubeConfig.ReadAsync(file, null, s_variables, Ct))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{command: ./none, apiVersion: client.authentication.k8s.io/v1, installHint: get it from the shop}", "get it from the shop")]
    [InlineData("{command: berth-no-such-program, apiVersion: client.authentication.k8s.io/v1}", "is not installed")]
    [InlineData("{command: sh, args: [-c, 'echo who are you >&2; exit 3'], apiVersion: client.authentication.k8s.io/v1}", "exit code 3: who are you")]
    [InlineData("{command: sh, args: [-c, 'echo hello'], apiVersion: client.authentication.k8s.io/v1}", "no JSON")]
    [InlineData("{command: sh, args: [-c, 'echo {}'], apiVersion: client.authentication.k8s.io/v1}", "no ExecCredential of client.authentication.k8s.io/v1")]
    [InlineData("""{command: sh, args: [-c, "echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\"status\":{}}'"], apiVersion: client.authentication.k8s.io/v1beta1}""", "neither a token nor a certificate")]
    [InlineData("""{command: sh, args: [-c, "printf %s '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\"status\":{\"token\":\"a\\nb\"}}'"], apiVersion: client.authentication.k8s.io/v1beta1}""", "cannot be sent")]
    [InlineData("{command: sh, apiVersion: client.authentication.k8s.io/v1alpha1}", "v1alpha1")]
    [InlineData("{command: sh, interactiveMode: Always, apiVersion: client.authentication.k8s.io/v1}", "interactiveMode")]
    [InlineData("{apiVersion: client.authentication.k8s.io/v1}", "no command")]
    public async Task A_program_that_gives_no_credential_is_told_with_what_it_says(string exec, string told)
    {
        var file = certificates.Path("config");
        await File.WriteAllTextAsync(certificates.Path("ca.crt"), "", Ct);
        await File.WriteAllTextAsync(file, Config("https://127.0.0.1:1", $"{{exec: {exec} }}"), Ct);
        var error = await Assert.ThrowsAnyAsync<Exception>(() => KubeConfig.ReadAsync(file, null, s_variables, Ct));
        Assert.True(error is IOException or InvalidDataException, error.ToString());
        Assert.Contains(told, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_report_counts_by_workload_and_never_calls_unknown_none()
    {
        var workloads = WorkloadDocuments.Read(Documents);
        var images = workloads.SelectMany(static one => one.Images).Distinct().ToDictionary(static name => name, static name => name == "tool:1"
            ? new ScannedImage(name, null, "no \u001b[31m such image")
            : new ScannedImage(name, new Berth.Scanner.Reports.ScanReport(name, DateTimeOffset.UnixEpoch) { Findings = [new("CVE-1", new(Berth.Scanner.Inventory.PackageType.Npm, "a", "1")) { Severity = Berth.Scanner.Advisories.Severity.High }] }, ""));
        var table = ClusterReport.Table(workloads, images, isFull: false);
        Assert.Matches(@"shop +Pod/one +2 +0 +2 +0", table);
        Assert.Matches(@"shop +CronJob/nightly +1 +0\+\?", table);
        Assert.Contains("4 workloads, 5 images: 0 critical, 4 high", table, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', table);
        Assert.Contains("CVE-1", ClusterReport.Table(workloads, images, isFull: true), StringComparison.Ordinal);
        var json = JsonNode.Parse(ClusterReport.Json("test", workloads, images, isFull: true))!;
        Assert.Equal(("test", 2, "tool:1"), ((string?)json["ClusterName"], json["Findings"]!.AsArray().Single(static f => (string?)f!["Name"] == "one")!["Vulnerabilities"]!["HIGH"]!.GetValue<int>(), (string?)json["Errors"]![0]!["Image"]));
    }

    // A program that answers only when it is asked as kubectl asks: by a relative path, with arguments and variables, the question in one of them, and nobody to talk to.
    private async Task<string> ProgramAsync(JsonObject status)
    {
        var answer = new JsonObject { ["kind"] = "ExecCredential", ["apiVersion"] = "client.authentication.k8s.io/v1", ["status"] = status };
        await File.WriteAllTextAsync(certificates.Path("answer.json"), answer.ToJsonString(), Ct);
        await File.WriteAllTextAsync(certificates.Path("sign-in"), """
            #!/bin/sh
            [ "$1 $2" = "get --cluster=shop x" ] && [ "$OWN $MORE" = "own more" ] && [ -z "$(cat)" ] || exit 1
            case "$KUBERNETES_EXEC_INFO" in *'"interactive":false'*'"server":"https://127.0.0.1:'*'"certificate-authority-data":"'*) ;; *) exit 2 ;; esac
            cat "$(dirname "$0")/answer.json"
            """, Ct);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(certificates.Path("sign-in"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return "{exec: {command: ./sign-in, args: [get, '--cluster=shop x'], env: [{name: MORE, value: more}], apiVersion: client.authentication.k8s.io/v1, interactiveMode: IfAvailable, provideClusterInfo: true}}";
    }

    private static string Config(string server, string user) => $$"""
        apiVersion: v1
        kind: Config
        current-context: test
        contexts: [{name: test, context: {cluster: c, user: u, namespace: shop} }]
        clusters: [{name: c, cluster: {server: "{{server}}", certificate-authority: ca.crt} }]
        users: [{name: u, user: {{user}} }]
        """;

    // The API server as far as lists go: two pages of deployments, one pod of its own and one that a deployment made, cron jobs forbidden.
    private static async Task<WebApplication> ClusterAsync(X509Certificate2 certificate, List<string> asked)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(https =>
        {
            https.ServerCertificate = certificate;
            https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
            https.ClientCertificateValidation = static (_, _, _) => true;
        })));
        var app = builder.Build();
        app.Run(async context =>
        {
            var isKnown = context.Request.Headers.Authorization == "Bearer t0ken" || (await context.Connection.GetClientCertificateAsync(Ct))?.Subject == "CN=ann";
            lock (asked) asked.Add($"{context.Request.Path}{context.Request.QueryString}");
            var plural = context.Request.Path.Value!.Split('/')[^1];
            context.Response.StatusCode = !isKnown ? 401 : plural == "cronjobs" ? 403 : 200;
            if (context.Response.StatusCode != 200) return;
            var isNext = context.Request.Query["continue"] == "next";
            await context.Response.WriteAsync(plural switch
            {
                "deployments" => """{"kind":"DeploymentList","metadata":{"continue":"NEXT"},"items":[{"metadata":{"name":"webNUMBER","namespace":"shop"},"spec":{"template":{"spec":{"containers":[{"image":"web:1"}]}}}}]}"""
                    .Replace("NEXT", isNext ? "" : "next", StringComparison.Ordinal).Replace("NUMBER", isNext ? "1" : "0", StringComparison.Ordinal),
                "pods" => """{"kind":"PodList","metadata":{},"items":[{"metadata":{"name":"lone","namespace":"shop"},"spec":{"containers":[{"image":"lone:1"}]}},{"metadata":{"name":"web0-a","namespace":"shop","ownerReferences":[{"kind":"ReplicaSet","controller":true}]},"spec":{"containers":[{"image":"web:1"}]}}]}""",
                _ => """{"kind":"List","metadata":{},"items":[]}""",
            }, Encoding.UTF8, Ct);
        });
        await app.StartAsync(Ct);
        return app;
    }
}
