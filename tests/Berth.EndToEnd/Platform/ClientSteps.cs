using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Platform;

/// <summary>
/// What each client does with an account: it signs in, pulls <c>base:1</c>, pushes and deletes; each step has to succeed or to be refused as the account
/// says. <paramref name="project"/> is the full name of the project, with host and port.
/// </summary>
public sealed class ClientSteps(ClientShell shell, DockerEngine docker, ImageFixtures images, string project)
{
    private readonly string registry = project[..project.IndexOf('/', StringComparison.Ordinal)];

    public async Task Crane(Account account)
    {
        await shell.Run("crane", "auth", "login", registry, "-u", account.User, "-p", account.Secret);
        await Expect(account.MayPull, "crane", "manifest", Named("base:1"));
        await Expect(account.MayPush, "crane", "push", images.Small().Folder, Named($"crane-{account.Name}:1"));
        if (account.MayPush) await Expect(account.MayDelete, "crane", "delete", Named($"crane-{account.Name}@{images.Small().Digest}"));
        else await shell.MustFail("crane", "delete", Named($"base@{images.Small().Digest}"));
    }

    public async Task Skopeo(Account account)
    {
        await Expect(account.IsKnown, "skopeo", "login", "--tls-verify=false", "-u", account.User, "-p", account.Secret, registry);
        await Expect(account.MayPull, "skopeo", "inspect", "--raw", "--tls-verify=false", $"docker://{Named("base:1")}");
        await Expect(account.MayPush, "skopeo", "copy", "-q", "--dest-tls-verify=false", images.Small().SkopeoName, $"docker://{Named($"skopeo-{account.Name}:1")}");
        if (account.MayPush) await Expect(account.MayDelete, "skopeo", "delete", "--tls-verify=false", $"docker://{Named($"skopeo-{account.Name}:1")}");
    }

    public async Task Oras(Account account)
    {
        shell.Write("a.txt", "a");
        await Expect(account.IsKnown, "oras", "login", "--plain-http", "-u", account.User, "-p", account.Secret, registry);
        await Expect(account.MayPull, "oras", "manifest", "fetch", "--plain-http", Named("base:1"));
        await Expect(account.MayPush, "oras", "push", "--plain-http", Named($"oras-{account.Name}:1"), "a.txt:text/plain");
        if (account.MayPush) await Expect(account.MayDelete, "oras", "manifest", "delete", "-f", "--plain-http", Named($"oras-{account.Name}:1"));
    }

    public async Task Podman(Account account)
    {
        Programs.RequireRoot();
        await Expect(account.IsKnown, "podman", "login", "--tls-verify=false", "-u", account.User, "-p", account.Secret, registry);
        await Expect(account.MayPull, "podman", "pull", "-q", "--tls-verify=false", Named("base:1"));
        if (account.MayPull) await Expect(account.MayPush, "podman", "push", "-q", "--tls-verify=false", Named("base:1"), Named($"podman-{account.Name}:1"));
    }

    public async Task Docker(Account account)
    {
        Programs.RequireRoot();
        if (!account.IsKnown)
        {
            await docker.MustFail(shell, "login", "-u", account.User, "-p", account.Secret, registry);
            return;
        }

        await docker.Run(shell, "login", "-u", account.User, "-p", account.Secret, registry);
        if (!account.MayPull)
        {
            await docker.MustFail(shell, "pull", "-q", Named("base:1"));
            return;
        }

        await docker.Run(shell, "pull", "-q", Named("base:1"));
        await docker.Run(shell, "tag", Named("base:1"), Named($"docker-{account.Name}:1"));
        if (account.MayPush) await docker.Run(shell, "push", "-q", Named($"docker-{account.Name}:1"));
        else await docker.MustFail(shell, "push", "-q", Named($"docker-{account.Name}:1"));
    }

    private string Named(string reference) => $"{project}/{reference}";

    private async Task Expect(bool succeeds, string program, params string[] arguments)
    {
        if (succeeds) await shell.Run(program, arguments);
        else await shell.MustFail(program, arguments);
    }
}
