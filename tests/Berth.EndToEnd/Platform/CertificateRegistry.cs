using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;
using Berth.Server.Tests.Platform.Http;

namespace Berth.EndToEnd.Platform;

/// <summary>Somebody with a certificate (or none) and what that opens; <paramref name="Folder"/> holds <c>ca.crt</c>, <c>client.cert</c> and <c>client.key</c>.</summary>
public sealed record CertificateHolder(string Name, string Folder, bool MayPull, bool MayPush)
{
    public string Authority => Path.Combine(Folder, "ca.crt");

    public string Certificate => Path.Combine(Folder, "client.cert");

    public string Key => Path.Combine(Folder, "client.key");

    public bool HasCertificate => File.Exists(Certificate);
}

/// <summary>A registry with TLS that signs the holders of certificates in, and an address without TLS to set it up.</summary>
public sealed class CertificateRegistry(ImageFixtures images) : IAsyncLifetime
{
    public const string Project = "priv";

    private readonly TemporaryFolder folder = new("certificates");
    private readonly TestCertificates files = new();
    private readonly X509Certificate2 ours = TestCertificates.Authority("ours");
    private readonly X509Certificate2 foreign = TestCertificates.Authority("foreign");
    private readonly Dictionary<string, CertificateHolder> holders = [];
    private RunningRegistry? registry;

    /// <summary>Names of all holders, known before any is made.</summary>
    public static readonly string[] HolderNames = ["developer", "guest", "newcomer", "foreigner", "nobody"];

    /// <summary>Host and port with TLS.</summary>
    public string Address { get; private set; } = "";

    public CertificateHolder this[string name] => holders[name];

    public RunningRegistry Registry => registry ?? throw new InvalidOperationException("the registry is not started");

    public async ValueTask InitializeAsync()
    {
        if (!RegistryUnderTest.IsBerth) return;
        var ct = TestContext.Current.CancellationToken;
        var (plain, secure) = (RegistryUnderTest.FreePort(), RegistryUnderTest.FreePort());
        Address = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{secure}");
        files.Save(ours, "ca.pem", "ca.key");
        using (var server = TestCertificates.Issue(ours, "127.0.0.1")) files.Save(server, "server.pem", "server.key");
        registry = await RegistryUnderTest.StartBerth(folder, plain, $$"""
            http:
              urls: [ "http://127.0.0.1:{{plain}}", "https://127.0.0.1:{{secure}}" ]
              tls: { certificate: {{files.Path("server.pem")}}, key: {{files.Path("server.key")}}, clientCas: [ {{files.Path("ca.pem")}} ], clientAuth: verifyIfGiven }
            access: { mode: local }
            identity:
              clientCertificate: { enabled: true, namePattern: "cert-(.+)" }
            """, ct);
        var api = new ManagementApi(registry.Address);
        await api.Call(HttpMethod.Post, "/api/v2.0/projects", $$$"""{"project_name":"{{{Project}}}","metadata":{"public":"false"}}""", ct);
        registry.Http.SignIn(RegistryUnderTest.User, RegistryUnderTest.Password);
        await registry.Http.Push($"{Project}/base", "1", images.Small(), ct);
        await AddMember(api, "developer", 2, ct);
        await AddMember(api, "guest", 3, ct);
        AddHolder("developer", ours, mayPull: true, mayPush: true);
        AddHolder("guest", ours, mayPull: true, mayPush: false);
        AddHolder("newcomer", ours, mayPull: false, mayPush: false);
        // The name of a member, signed by somebody else.
        AddHolder("foreigner", foreign, mayPull: false, mayPush: false, subject: "cert-developer");
        AddHolder("nobody", null, mayPull: false, mayPush: false);
        Assert.Equal(HolderNames.Order(), holders.Keys.Order());
    }

    public async ValueTask DisposeAsync()
    {
        if (registry is not null) await registry.DisposeAsync();
        ours.Dispose();
        foreign.Dispose();
        files.Dispose();
        folder.Dispose();
    }

    private static async Task AddMember(ManagementApi api, string name, int role, CancellationToken ct)
    {
        await api.Call(HttpMethod.Post, "/api/v2.0/users", $$"""{"username":"{{name}}","email":"{{name}}@example.test","realname":"{{name}}","password":"Pass-word-1"}""", ct);
        await api.Call(HttpMethod.Post, $"/api/v2.0/projects/{Project}/members", $$$"""{"role_id":{{{role}}},"member_user":{"username":"{{{name}}}"}}""", ct);
    }

    private void AddHolder(string name, X509Certificate2? authority, bool mayPull, bool mayPush, string? subject = null)
    {
        var own = new CertificateHolder(name, Directory.CreateDirectory(files.Path(name)).FullName, mayPull, mayPush);
        File.Copy(files.Path("ca.pem"), own.Authority);
        if (authority is not null)
        {
            using var certificate = TestCertificates.Issue(authority, subject ?? "cert-" + name, forClient: true);
            files.Save(certificate, own.Certificate, own.Key);
        }

        holders.Add(name, own);
    }
}
