using System.Text;

namespace Berth.EndToEnd.Deployment;

/// <summary>The Helm chart: rendered by helm, read as what it says, its settings checked by the program itself.</summary>
public sealed class HelmChartTests(ChartShell chart) : IClassFixture<ChartShell>
{
    private static readonly string Cluster = Values("cluster");
    private static readonly string Embedded = Values("embedded-tls");
    private static readonly string FromHarbor = Values("from-harbor");

    public static TheoryData<string, string[]> Set_ups => new()
    {
        { "defaults", [] },
        { "cluster", ["-f", Cluster] },
        { "embedded", ["-f", Embedded] },
        { "from Harbor", ["-f", FromHarbor] },
        { "azure", ["--set", "persistence.imageChartStorage.type=azure,persistence.imageChartStorage.azure.accountname=account,persistence.imageChartStorage.azure.accountkey=a2V5a2V5,persistence.imageChartStorage.azure.container=images"] },
        { "gcs", ["--set", "persistence.imageChartStorage.type=gcs,persistence.imageChartStorage.gcs.bucket=images,persistence.imageChartStorage.gcs.existingSecret=key"] },
        { "swift", ["--set", "persistence.imageChartStorage.type=swift,persistence.imageChartStorage.swift.authurl=http://s/v3,persistence.imageChartStorage.swift.username=u,persistence.imageChartStorage.swift.password=p,persistence.imageChartStorage.swift.container=c"] },
    };

    [Theory]
    [MemberData(nameof(Set_ups))]
    public async Task Every_set_up_passes_lint_has_right_types_and_only_real_settings(string name, string[] values)
    {
        await chart.Shell.Run("helm", ["lint", "--strict", ChartShell.Chart, .. values]);
        var rendered = await chart.Render("helm", values);
        await chart.CheckTypes(rendered);

        var container = Manifests.Container(rendered.One("Deployment"));
        var variables = Manifests.Environment(container, (_, key) => key == "secretKey" ? BerthSettings.SecretKey : "dmFsdWU=");
        await BerthSettings.Check(chart.Shell, Manifests.Text(rendered.One("ConfigMap", "r-berth"), "data", "berth.yaml"), variables);
        Assert.True(variables.ContainsKey("BERTH_ADMIN_PASSWORD"), name);
    }

    [Fact]
    public async Task Helm_3_renders_the_same_as_helm_4()
    {
        var three = await chart.Render("helm-3", "-f", Cluster);
        var four = await chart.Render("helm", "-f", Cluster);
        Assert.Equal(four.All.Select(item => item.ToJsonString()).Order(), three.All.Select(item => item.ToJsonString()).Order());
    }

    [Fact]
    public async Task The_defaults_are_one_pod_with_SQLite_and_a_claim_behind_an_ingress_with_a_certificate()
    {
        var rendered = await chart.Render("helm");
        var pod = rendered.One("Deployment");
        Assert.Equal("Recreate", Manifests.Text(pod, "spec", "strategy", "type"));
        Assert.Equal("1", Manifests.Text(pod, "spec", "replicas"));
        Assert.Equal("r-berth", Manifests.Text(pod, "spec", "template", "spec", "volumes", 1, "persistentVolumeClaim", "claimName"));
        Assert.Equal("true", Manifests.Text(Manifests.Container(pod), "securityContext", "readOnlyRootFilesystem"));
        Assert.Equal("true", Manifests.Text(pod, "spec", "template", "spec", "securityContext", "runAsNonRoot"));
        Assert.Equal(("/health/live", "/health/live", "/health/ready"), (Probe(pod, "startupProbe"), Probe(pod, "livenessProbe"), Probe(pod, "readinessProbe")));
        Assert.Equal("keep", Manifests.Text(rendered.One("PersistentVolumeClaim"), "metadata", "annotations", "helm.sh/resource-policy"));
        Assert.Equal("r-berth-tls", Manifests.Text(rendered.One("Ingress"), "spec", "tls", 0, "secretName"));
        var certificate = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(Decoded(Manifests.Text(rendered.One("Secret", "r-berth-tls"), "data", "tls.crt")));
        Assert.True(certificate.MatchesHostname("berth.example.org"));
        Assert.Equal(32, Convert.FromBase64String(Decoded(Manifests.Text(rendered.One("Secret", "r-berth"), "data", "secretKey"))).Length);
        Assert.All((string[])["PodDisruptionBudget", "HorizontalPodAutoscaler", "ServiceMonitor", "PrometheusRule", "NetworkPolicy", "ServiceAccount"], kind => Assert.False(rendered.Has(kind), kind));
    }

    [Fact]
    public async Task A_cluster_has_replicas_on_PostgreSQL_and_S3_with_every_secret_from_outside()
    {
        var rendered = await chart.Render("helm", "-f", Cluster);
        var pod = rendered.One("Deployment");
        Assert.Equal("RollingUpdate", Manifests.Text(pod, "spec", "strategy", "type"));
        Assert.Null(Manifests.At(pod, "spec", "replicas"));
        Assert.False(rendered.Has("PersistentVolumeClaim"));
        Assert.False(Manifests.At(rendered.One("Secret"), "data")?.AsObject().Count > 0);
        Assert.Equal(
            new Dictionary<string, string>
            {
                ["BERTH_ADMIN_PASSWORD"] = "berth-admin/HARBOR_ADMIN_PASSWORD",
                ["BERTH_ACCESS__SECRETKEY"] = "berth-key/secretKey",
                ["PGPASSWORD"] = "berth-db/password",
                ["BERTH_STORAGE__S3__ACCESSKEY"] = "berth-s3/REGISTRY_STORAGE_S3_ACCESSKEY",
                ["BERTH_STORAGE__S3__SECRETKEY"] = "berth-s3/REGISTRY_STORAGE_S3_SECRETKEY",
                ["SSL_CERT_DIR"] = "/etc/berth/ca:/etc/ssl/certs",
                ["DOTNET_EnableDiagnostics"] = "0",
                ["BERTH_LOG__ACCESSLOG"] = "false",
            },
            Manifests.Environment(Manifests.Container(pod), (name, key) => $"{name}/{key}"));
        var settings = Manifests.Parse(Manifests.Text(rendered.One("ConfigMap", "r-berth"), "data", "berth.yaml")!).All.Single();
        Assert.Equal("Host=postgres.db;Port=5432;Username=berth;Database=berth;SSL Mode=VerifyFull", Manifests.Text(settings, "database", "connectionString"));
        Assert.Equal("https://s3.example.org", Manifests.Text(settings, "storage", "s3", "endpoint"));
        Assert.Equal("2d", Manifests.Text(settings, "registry", "uploadExpiry"));
        Assert.Equal("http://otel-collector:4318", Manifests.Text(settings, "tracing", "otlpEndpoint"));
        Assert.Equal("berth-tls", Manifests.Text(rendered.One("Ingress"), "spec", "tls", 0, "secretName"));
        Assert.Equal("2", Manifests.Text(rendered.One("PodDisruptionBudget"), "spec", "minAvailable"));
        Assert.Equal("6", Manifests.Text(rendered.One("HorizontalPodAutoscaler"), "spec", "maxReplicas"));
        Assert.Equal("ingress-nginx", Manifests.Text(rendered.One("NetworkPolicy"), "spec", "ingress", 0, "from", 0, "namespaceSelector", "matchLabels", "kubernetes.io/metadata.name"));
        Assert.Equal("operations", Manifests.Text(rendered.One("ServiceMonitor"), "spec", "endpoints", 0, "port"));
        Assert.Equal("arn:aws:iam::1:role/berth", Manifests.Text(rendered.One("ServiceAccount"), "metadata", "annotations", "eks.amazonaws.com/role-arn"));
        Assert.NotEmpty(Manifests.At(rendered.One("PrometheusRule"), "spec", "groups")!.AsArray());
        Assert.NotEmpty(Manifests.At(rendered.One("ConfigMap", "r-berth-dashboards"), "data")!.AsObject());
    }

    [Fact]
    public async Task A_pod_behind_a_load_balancer_speaks_TLS_itself()
    {
        var rendered = await chart.Render("helm", "-f", Embedded);
        var service = rendered.One("Service", "r-berth");
        Assert.Equal(("LoadBalancer", "192.0.2.10", "443", "https"),
            (Manifests.Text(service, "spec", "type"), Manifests.Text(service, "spec", "loadBalancerIP"), Manifests.Text(service, "spec", "ports", 0, "port"), Manifests.Text(service, "spec", "ports", 0, "targetPort")));
        var settings = Manifests.Parse(Manifests.Text(rendered.One("ConfigMap"), "data", "berth.yaml")!).All.Single();
        Assert.Equal("https://*:8443", Manifests.Text(settings, "http", "urls", 0));
        Assert.Equal("Correct-Horse-7", Decoded(Manifests.Text(rendered.One("Secret", "r-berth"), "data", "adminPassword")));
        Assert.Equal(("fast", "200Gi"), (Manifests.Text(rendered.One("PersistentVolumeClaim"), "spec", "storageClassName"), Manifests.Text(rendered.One("PersistentVolumeClaim"), "spec", "resources", "requests", "storage")));
        Assert.False(rendered.Has("Ingress"));
    }

    [Fact]
    public async Task Values_of_Harbors_chart_are_taken_and_what_has_no_counterpart_is_named()
    {
        var rendered = await chart.Render("helm", "-f", FromHarbor);
        var service = rendered.One("Service", "harbor");
        Assert.Equal(("NodePort", "30002"), (Manifests.Text(service, "spec", "type"), Manifests.Text(service, "spec", "ports", 0, "nodePort")));
        Assert.Equal("p;w'\"$1", Decoded(Manifests.Text(rendered.One("Secret"), "data", "databasePassword")));
        Assert.Equal("Harbor12345", Decoded(Manifests.Text(rendered.One("Secret"), "data", "adminPassword")));
        Assert.Equal("images", Manifests.Text(rendered.One("Deployment"), "spec", "template", "spec", "volumes", 1, "persistentVolumeClaim", "claimName"));
        var notes = await chart.Notes("-f", FromHarbor);
        Assert.Contains("ignored: redis, core, jobservice, trivy, cache.", notes, StringComparison.Ordinal);
        Assert.Contains("No Redis is needed", notes, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("need PostgreSQL", "replicas=2")]
    [InlineData("need PostgreSQL", "autoscaling.enabled=true")]
    [InlineData("need storage that all can reach", "replicas=2,database.type=external,database.external.host=db")]
    [InlineData("database.external.host", "database.type=external")]
    [InlineData("s3.bucket is empty", "persistence.imageChartStorage.type=s3")]
    [InlineData("secretName", "expose.tls.certSource=secret")]
    [InlineData("is for an ingress", "expose.type=clusterIP,expose.tls.certSource=none")]
    [InlineData("starts with http://", "externalURL=http://x.example")]
    [InlineData("32 bytes in base64", "secretKey=not-a-secure-key")]
    [InlineData("expose", "expose.type=route")]
    [InlineData("replicaCount", "replicaCount=3")]
    public async Task Values_that_cannot_work_are_refused_with_the_reason(string reason, string values) =>
        Assert.Contains(reason, (await chart.Shell.MustFail("helm", "template", "r", ChartShell.Chart, "--set", values)).Error, StringComparison.Ordinal);

    private static string Values(string name) => Path.Combine(ChartShell.Chart, "ci", $"{name}-values.yaml");

    private static string? Probe(System.Text.Json.Nodes.JsonObject pod, string probe) => Manifests.Text(Manifests.Container(pod), probe, "httpGet", "path");

    private static string Decoded(string? base64) => Encoding.UTF8.GetString(Convert.FromBase64String(base64 ?? ""));
}
