using System.Text;
using System.Text.Json;

namespace Berth.Client.Credentials;

/// <summary>
/// Credentials of Docker's <c>config.json</c> (<c>auths</c>, <c>credHelpers</c>, <c>credsStore</c>) and of podman's <c>auth.json</c>, which has the same form. The files are read
/// when a registry is asked for: whoever signs in meanwhile is found.
/// </summary>
/// <param name="variables">Variables of the process: <c>REGISTRY_AUTH_FILE</c>, <c>DOCKER_CONFIG</c>, <c>HOME</c>, <c>XDG_RUNTIME_DIR</c>, <c>PATH</c>.</param>
public sealed class DockerConfig(IReadOnlyDictionary<string, string> variables) : ICredentialSource
{
    private const long MaxFileBytes = 4 * 1024 * 1024;
    private const string DockerHubKey = "https://index.docker.io/v1/";
    private const string TokenUser = "<token>";

    /// <summary>Files that are looked at, in this order.</summary>
    public IReadOnlyList<string> Files { get; } =
    [
        .. new[]
        {
            Variable(variables, "REGISTRY_AUTH_FILE", ""),
            Variable(variables, "DOCKER_CONFIG", "config.json") ?? Variable(variables, "HOME", ".docker/config.json"),
            Variable(variables, "XDG_RUNTIME_DIR", "containers/auth.json"),
        }.OfType<string>(),
    ];

    /// <inheritdoc/>
    public async ValueTask<RegistryCredential?> FindAsync(string registry, CancellationToken ct)
    {
        foreach (var file in Files)
            if (File.Exists(file) && await FindInAsync(file, registry, ct) is { } credential) return credential;
        return null;
    }

    private async Task<RegistryCredential?> FindInAsync(string file, string registry, CancellationToken ct)
    {
        if (new FileInfo(file).Length > MaxFileBytes) throw new IOException($"{file} is larger than {MaxFileBytes} bytes");
        try
        {
            using var json = JsonDocument.Parse(await File.ReadAllBytesAsync(file, ct), new JsonDocumentOptions { MaxDepth = 32, AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object) return null;
            var program = Keys(registry).Select(key => Text(Member(root, "credHelpers"), key)).FirstOrDefault(static name => name.Length > 0) ?? Text(root, "credsStore");
            if (program.Length > 0 && await CredentialProgram.GetAsync(program, registry == ImageReference.DockerHub ? DockerHubKey : registry, variables, ct) is { } found)
                return found.UserName == TokenUser ? new RegistryCredential { IdentityToken = found.Password } : found;
            return FindEntry(Member(root, "auths"), registry, file);
        }
        catch (JsonException e)
        {
            throw new IOException($"{file} is no valid JSON", e);
        }
    }

    // The exact name wins; an address stands for its host, as older clients wrote them.
    private static RegistryCredential? FindEntry(JsonElement auths, string registry, string file)
    {
        if (auths.ValueKind != JsonValueKind.Object) return null;
        var keys = Keys(registry);
        var entries = auths.EnumerateObject().ToList();
        foreach (var entry in entries.Where(entry => keys.Contains(entry.Name)).Concat(entries.Where(entry => keys.Contains(HostOf(entry.Name)))))
            if (Read(entry.Value, file) is { } credential) return credential;
        return null;
    }

    private static RegistryCredential? Read(JsonElement entry, string file)
    {
        var (user, password) = (Text(entry, "username"), Text(entry, "password"));
        if (Text(entry, "auth") is { Length: > 0 } packed)
        {
            var plain = new byte[packed.Length];
            if (!Convert.TryFromBase64String(packed.Trim(), plain, out var length)) throw new IOException($"{file} holds an \"auth\" that is no Base64");
            var text = Encoding.UTF8.GetString(plain, 0, length);
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0) throw new IOException($"{file} holds an \"auth\" without a colon");
            (user, password) = (text[..colon], text[(colon + 1)..].TrimEnd('\0'));
        }
        var credential = new RegistryCredential { UserName = user == TokenUser ? "" : user, Password = password, IdentityToken = user == TokenUser ? password : Text(entry, "identitytoken"), RegistryToken = Text(entry, "registrytoken") };
        return credential.HasPassword || credential.IdentityToken.Length > 0 || credential.RegistryToken.Length > 0 ? credential : null;
    }

    private static string[] Keys(string registry) => registry == ImageReference.DockerHub ? [DockerHubKey, ImageReference.DockerHub, "index.docker.io", "registry-1.docker.io"] : [registry];

    private static string HostOf(string key)
    {
        var bare = key.StartsWith("https://", StringComparison.Ordinal) ? key[8..] : key.StartsWith("http://", StringComparison.Ordinal) ? key[7..] : key;
        var slash = bare.IndexOf('/', StringComparison.Ordinal);
        // Behind the slash is a version of the protocol; anything else is podman's entry for a folder, which is not for the whole registry.
        return slash < 0 ? bare : bare[(slash + 1)..].TrimEnd('/') is "" or "v1" or "v2" ? bare[..slash] : key;
    }

    private static string? Variable(IReadOnlyDictionary<string, string> variables, string name, string file) =>
        variables.GetValueOrDefault(name) is { Length: > 0 } value ? file.Length > 0 ? Path.Combine(value, file) : value : null;

    private static JsonElement Member(JsonElement element, string name) => element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member) ? member : default;

    private static string Text(JsonElement element, string name) => Member(element, name) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : "";
}
