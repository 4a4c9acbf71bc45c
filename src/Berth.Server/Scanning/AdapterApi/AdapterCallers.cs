using System.Security.Cryptography;
using System.Text;
using Berth.Server.Access;
using Berth.Server.Scanning.Scanners;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Scanning.AdapterApi;

/// <summary>Who may use the scanner API: whoever has its key or its user name and password. They are nobody's account, and open nothing else.</summary>
internal sealed class AdapterCallers(ScannerApiOptions options, FailedSignIns failures, TimeProvider time)
{
    /// <summary>Whether a request may go on; if not, the status is set: 401, or 429 for whoever has guessed too often.</summary>
    public async ValueTask<bool> AdmitAsync(HttpContext context)
    {
        var address = context.Connection.RemoteIpAddress;
        if (failures.Blocked("", address) is { } wait)
        {
            context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            context.Response.Headers.RetryAfter = ((long)Math.Ceiling(wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
            return false;
        }
        if (IsKnown(context.Request)) return true;
        // Who sends nothing has not guessed.
        if (HasCredentials(context.Request) && failures.Failed(null, address) is var delay && delay > TimeSpan.Zero) await Task.Delay(delay, time, context.RequestAborted).ConfigureAwait(false);
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        context.Response.Headers.WWWAuthenticate = "Basic realm=\"berth scanner\"";
        return false;
    }

    private bool IsKnown(HttpRequest request)
    {
        if (request.Headers[ScannerAuth.ApiKey].ToString() is { Length: > 0 } key) return IsSame(key, options.ApiKey);
        var authorization = request.Headers.Authorization.ToString();
        if (Bearer.IsBearer(authorization)) return IsSame(Bearer.TokenOf(authorization), options.ApiKey);
        return BasicCredentials.TryParse(authorization, out var credentials) & IsSame(credentials.Name ?? "", options.Username) & IsSame(credentials.Password ?? "", options.Password);
    }

    private static bool HasCredentials(HttpRequest request) => request.Headers.Authorization.Count > 0 || request.Headers[ScannerAuth.ApiKey].Count > 0;

    // What is not configured is never right.
    private static bool IsSame(string given, string wanted) =>
        wanted.Length > 0 && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given)), SHA256.HashData(Encoding.UTF8.GetBytes(wanted)));
}
