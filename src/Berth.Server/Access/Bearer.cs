using System.Text;

namespace Berth.Server.Access;

/// <summary>The Bearer scheme (RFC 6750) with the <c>service</c> parameter of the Docker token specification.</summary>
internal static class Bearer
{
    private const string Scheme = "Bearer ";

    /// <summary>Whether a header's value is of the Bearer scheme.</summary>
    public static bool IsBearer(string authorization) => authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase);

    /// <summary>The token of a header's value of the Bearer scheme.</summary>
    public static string TokenOf(string authorization) => authorization[Scheme.Length..].Trim();

    /// <summary>Value of <c>WWW-Authenticate</c>. The order of the parameters is the one every client knows from Docker Registry.</summary>
    public static string Challenge(string realm, string service, string scope, string? error)
    {
        var text = new StringBuilder(160);
        text.Append("Bearer realm=").Append(HttpQuoting.Quote(realm)).Append(",service=").Append(HttpQuoting.Quote(service));
        if (scope.Length > 0) text.Append(",scope=").Append(HttpQuoting.Quote(scope));
        if (error is not null) text.Append(",error=").Append(HttpQuoting.Quote(error));
        return text.ToString();
    }
}
