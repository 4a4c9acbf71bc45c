using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Berth.Server.Platform.Secrets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Access;

/// <summary>Users of a password file (mode <c>htpasswd</c>); whoever signs in may do everything, as in Docker Registry.</summary>
internal sealed class HtpasswdAccess : ICallerSource
{
    private const string FirstUser = "docker";
    private const int FirstUserCost = 10;

    private readonly WatchedFile<HtpasswdFile> _file;
    private readonly PasswordSignIn _signIn;
    private readonly PasswordSignIn.Check _check;
    private readonly string _challenge;

    /// <summary>Reads the file; creates it with one user and a random password when it is not there.</summary>
    /// <exception cref="InvalidOperationException">No file is named.</exception>
    /// <exception cref="IOException">The file cannot be read or created.</exception>
    /// <exception cref="InvalidDataException">The file is malformed.</exception>
    public HtpasswdAccess(AccessOptions options, PasswordSignIn signIn, CredentialCache cache, TimeProvider time, ILogger<HtpasswdAccess> log)
    {
        var path = options.HtpasswdFile ?? throw new InvalidOperationException("access mode htpasswd needs the path of a file: set access.htpasswdFile");
        if (!File.Exists(path)) Create(path, log);
        _file = new WatchedFile<HtpasswdFile>(path, content => Parse(content, path, log), cache.Clear, time, log);
        _signIn = signIn;
        _check = Check;
        _challenge = $"Basic realm={HttpQuoting.Quote(options.Realm)}";
        _ = _file.Current;
    }

    public ValueTask<SignInResult> SignInAsync(HttpContext context, CancellationToken ct)
    {
        var authorization = context.Request.Headers.Authorization.ToString();
        if (!BasicCredentials.IsBasic(authorization)) return new ValueTask<SignInResult>(new SignInResult(Caller.Anonymous));
        // Looks for a new version first: a user who was removed must not live on in the memory of verified credentials.
        _ = _file.Current;
        return _signIn.SignInAsync(authorization, context.Connection.RemoteIpAddress, _check, ct);
    }

    public ValueTask<RepositoryRights> RightsAsync(Caller caller, string repository, CancellationToken ct) =>
        new(RepositoryRights.Plain(repository, !caller.IsAnonymous, !caller.IsAnonymous, !caller.IsAnonymous));

    public bool MayListCatalog(Caller caller) => !caller.IsAnonymous;

    public ValueTask<bool> MayListAsync(Caller caller, string repository, CancellationToken ct) => new(!caller.IsAnonymous);

    public bool MayUseApi(Caller caller) => !caller.IsAnonymous;

    public string Challenge(HttpContext context, string scope, string? error) => _challenge;

    private ValueTask<CredentialVerdict> Check(string name, string password, CancellationToken ct) =>
        new(_file.Current.Verify(name, password) ? CredentialVerdict.Of(new Caller("htpasswd:" + name, name, isAdmin: false, grants: null)) : CredentialVerdict.Wrong);

    private static HtpasswdFile Parse(byte[] content, string path, ILogger log)
    {
        var file = HtpasswdFile.Parse(content);
        foreach (var name in file.Unusable) log.HashUnusable(name, path);
        return file;
    }

    // As Docker Registry does, so that a new installation is never open by accident.
    private static void Create(string path, ILogger log)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var password = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var line = $"{FirstUser}:{Bcrypt.Hash(password, FirstUserCost)}\n";
        if (PrivateFile.TryCreate(path, Encoding.UTF8.GetBytes(line))) log.FileCreated(path, FirstUser, password);
    }
}

internal static partial class HtpasswdAccessLog
{
    [LoggerMessage(2011, LogLevel.Warning, "the htpasswd file {Path} was missing and has been created: sign in as {User} with {Initial}")]
    public static partial void FileCreated(this ILogger logger, string path, string user, string initial);

    [LoggerMessage(2012, LogLevel.Warning, "user {User} of {Path} cannot sign in: only bcrypt hashes are accepted (htpasswd -B)")]
    public static partial void HashUnusable(this ILogger logger, string user, string path);
}
