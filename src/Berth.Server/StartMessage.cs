using Berth.Server.Access;
using Berth.Server.Identity;

namespace Berth.Server;

/// <summary>What a person sees who has just started Berth: where it listens, how to sign in the first time, what to type next.</summary>
internal static class StartMessage
{
    public static void Write(TextWriter output, BerthOptions options, IEnumerable<string> urls, FirstAdminResult admin)
    {
        var addresses = urls.ToList();
        output.WriteLine($"Berth listens on {string.Join(", ", addresses)}");
        if (admin.IsCreated)
        {
            output.WriteLine(admin.GeneratedPassword is { } password
                ? $"first start: sign in as {FirstAdmin.Name} with the password {password} (shown this once)"
                : $"first start: the user {FirstAdmin.Name} has the password of {FirstAdmin.PasswordVariable}");
        }
        var host = HostOf(options.Http.PublicUrl ?? addresses.FirstOrDefault());
        if (options.Access.Mode == AccessMode.Local && admin.IsCreated) output.WriteLine($"  docker login {host} -u {FirstAdmin.Name}");
        output.WriteLine($"push an image: docker tag alpine {host}/library/alpine && docker push {host}/library/alpine");
        output.Flush();
    }

    private static string HostOf(string? url)
    {
        if (url is null || !Uri.TryCreate(url.Replace("//*", "//localhost", StringComparison.Ordinal).Replace("//[::]", "//localhost", StringComparison.Ordinal)
            .Replace("//0.0.0.0", "//localhost", StringComparison.Ordinal), UriKind.Absolute, out var uri)) return "localhost:5000";
        return uri.IsDefaultPort ? uri.Host : uri.Authority;
    }
}
