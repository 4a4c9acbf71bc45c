using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Berth.Kubernetes;

/// <summary>A cluster and who asks it, as a kubeconfig says: certificates and tokens, in the file, in files that it names, or from a program (<see cref="ExecCredential"/>).</summary>
internal sealed class KubeConfig : IDisposable
{
    private const long MaxFileBytes = 16 * 1024 * 1024;

    private KubeConfig(Uri server, string context) => (Server, Context) = (server, context);

    /// <summary>Address of the API server.</summary>
    public Uri Server { get; }

    /// <summary>Name of the context.</summary>
    public string Context { get; }

    /// <summary>Namespace of the context; empty when it names none.</summary>
    public string Namespace { get; private init; } = "";

    /// <summary>Bearer token; empty when there is none.</summary>
    public string Token { get; private init; } = "";

    /// <summary>Authorities of the server; null for those of the system.</summary>
    public X509Certificate2Collection? Authorities { get; private init; }

    /// <summary>Certificate to sign in with; null when there is none.</summary>
    public X509Certificate2? Certificate { get; private init; }

    /// <summary>Whether any certificate of the server will do.</summary>
    public bool IsInsecure { get; private init; }

    /// <summary>Name that the server's certificate is for; empty for that of the address.</summary>
    public string ServerName { get; private init; } = "";

    /// <summary>Reads a file, and runs the program that signs its user in where it names one and neither a token nor a certificate.</summary>
    /// <param name="path">The file.</param>
    /// <param name="context">Name of the context; null for the current one.</param>
    /// <param name="variables">Variables of this process, for the program.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="InvalidDataException">It does not say what is needed, or asks for what is not known here.</exception>
    /// <exception cref="IOException">A file cannot be read, or the program gives no credential.</exception>
    public static async Task<KubeConfig> ReadAsync(string path, string? context, IReadOnlyDictionary<string, string> variables, CancellationToken ct)
    {
        if (new FileInfo(path).Length > MaxFileBytes) throw new InvalidDataException($"{path} is larger than {MaxFileBytes} bytes");
        var root = Load(path);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var name = context ?? Text(root, "current-context");
        if (name.Length == 0) throw new InvalidDataException($"{path} names no current context: give --context");
        var chosen = Named(root, "contexts", name, "context") ?? throw new InvalidDataException($"{path} has no context \"{name}\"");
        var cluster = Named(root, "clusters", Text(chosen, "cluster"), "cluster") ?? throw new InvalidDataException($"{path} has no cluster \"{Text(chosen, "cluster")}\"");
        var user = Named(root, "users", Text(chosen, "user"), "user");
        if (!Uri.TryCreate(Text(cluster, "server"), UriKind.Absolute, out var server) || server.Scheme is not ("https" or "http")) throw new InvalidDataException($"{path}: the cluster has no address");
        if (Member(user, "auth-provider") is not null)
            throw new InvalidDataException($"{path}: the user of \"{name}\" is signed in by an auth-provider, which Kubernetes has given up; make a token (kubectl create token) and put it in its place");
        try
        {
            var (token, certificate, key) = (
                Text(user, "token") is { Length: > 0 } given ? given : Text(user, "tokenFile") is { Length: > 0 } file ? (await File.ReadAllTextAsync(Path.Combine(folder, file), ct)).Trim() : "",
                Pem(user, "client-certificate", folder), Pem(user, "client-key", folder));
            var authorities = Pem(cluster, "certificate-authority", folder);
            if (token.Length == 0 && certificate is null && Member(user, "exec") is { } exec)
            {
                var answer = await ExecCredential.AskAsync(Program(exec, cluster, authorities, path), folder, variables, ct);
                (token, certificate, key) = (answer.Token, answer.Certificate.Length > 0 ? answer.Certificate : null, answer.Key);
            }
            return new KubeConfig(server, name)
            {
                Namespace = Text(chosen, "namespace"),
                Token = token,
                Authorities = authorities is null ? null : Certificates(authorities),
                Certificate = certificate is not null && key is not null ? X509Certificate2.CreateFromPem(certificate, key) : null,
                IsInsecure = Text(cluster, "insecure-skip-tls-verify") == "true",
                ServerName = Text(cluster, "tls-server-name"),
            };
        }
        catch (Exception e) when (e is CryptographicException or FormatException)
        {
            throw new InvalidDataException($"{path}: a certificate or key cannot be read: {e.Message}", e);
        }
    }

    private static ExecProgram Program(YamlNode exec, YamlNode cluster, string? authorities, string path)
    {
        var (command, version) = (Text(exec, "command"), Text(exec, "apiVersion"));
        if (command.Length == 0) throw new InvalidDataException($"{path}: the program that signs in has no command");
        if (!ExecCredential.ApiVersions.Contains(version)) throw new InvalidDataException($"{path}: {command} answers in the form \"{version}\"; known are {string.Join(" and ", ExecCredential.ApiVersions)}");
        if (Text(exec, "interactiveMode") == "Always") throw new InvalidDataException($"{path}: {command} wants to ask its user, which is not done here (interactiveMode: Always)");
        JsonObject? told = null;
        if (Text(exec, "provideClusterInfo") == "true")
        {
            told = new JsonObject { ["server"] = Text(cluster, "server") };
            if (Text(cluster, "tls-server-name") is { Length: > 0 } name) told["tls-server-name"] = name;
            if (Text(cluster, "insecure-skip-tls-verify") == "true") told["insecure-skip-tls-verify"] = true;
            if (authorities is not null) told["certificate-authority-data"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(authorities));
        }
        return new ExecProgram(
            command, [.. Entries(exec, "args").Select(static one => one is YamlScalarNode { Value: { } text } ? text : "")],
            [.. Entries(exec, "env").Select(static one => KeyValuePair.Create(Text(one, "name"), Text(one, "value"))).Where(static one => one.Key.Length > 0)],
            version, Text(exec, "installHint"), told);
    }

    public void Dispose() => Certificate?.Dispose();

    private static YamlNode Load(string path)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(File.ReadAllText(path)));
        }
        catch (YamlException e)
        {
            throw new InvalidDataException($"{path}, line {e.Start.Line}: {e.Message}", e);
        }
        return stream.Documents.Count > 0 ? stream.Documents[0].RootNode : throw new InvalidDataException($"{path} is empty");
    }

    // Data in the file itself wins over the name of a file.
    private static string? Pem(YamlNode? node, string name, string folder) =>
        Text(node, name + "-data") is { Length: > 0 } data ? Encoding.UTF8.GetString(Convert.FromBase64String(data))
        : Text(node, name) is { Length: > 0 } file ? File.ReadAllText(Path.Combine(folder, file)) : null;

    private static X509Certificate2Collection Certificates(string pem)
    {
        var read = new X509Certificate2Collection();
        read.ImportFromPem(pem);
        return read;
    }

    private static YamlNode? Named(YamlNode root, string list, string name, string member) =>
        Member((Member(root, list) as YamlSequenceNode)?.FirstOrDefault(entry => Text(entry, "name") == name), member);

    private static IEnumerable<YamlNode> Entries(YamlNode node, string name) => Member(node, name) as YamlSequenceNode ?? Enumerable.Empty<YamlNode>();

    private static YamlNode? Member(YamlNode? node, string name) => node is YamlMappingNode map && map.Children.TryGetValue(new YamlScalarNode(name), out var value) ? value : null;

    private static string Text(YamlNode? node, string name) => Member(node, name) is YamlScalarNode { Value: { } text } ? text : "";
}
