using Microsoft.AspNetCore.Http;

namespace Berth.Server.Access;

/// <summary>What a caller wants to do with a repository.</summary>
public enum RepositoryAction
{
    Pull,
    Push,
    Delete,
}

/// <summary>
/// Decides who a caller is and what it may do. One implementation for each <see cref="AccessMode"/>.
/// </summary>
public interface ICallerSource
{
    /// <summary>
    /// Reads the request's credentials. A request without any is <see cref="Caller.Anonymous"/>; what that may do is <see cref="RightsAsync"/>'s answer.
    /// Verified credentials are remembered, so that the usual answer takes no hashing, no signature check and no query.
    /// </summary>
    ValueTask<SignInResult> SignInAsync(HttpContext context, CancellationToken ct);

    /// <summary>What the caller may do with a repository, whether it exists or not.</summary>
    ValueTask<RepositoryRights> RightsAsync(Caller caller, string repository, CancellationToken ct);

    /// <summary>Whether the caller may list repositories at all.</summary>
    bool MayListCatalog(Caller caller);

    /// <summary>
    /// Whether a repository is in the list of a caller who may list. Not the same as pulling: a token for <c>registry:catalog:*</c> shows
    /// what its owner may pull, and opens none of it.
    /// </summary>
    ValueTask<bool> MayListAsync(Caller caller, string repository, CancellationToken ct);

    /// <summary>Whether the caller passes the version check <c>GET /v2/</c>, which clients use to try their credentials.</summary>
    bool MayUseApi(Caller caller);

    /// <summary>
    /// Value of <c>WWW-Authenticate</c> for a request that needs (other) credentials.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="scope">Docker scope such as <c>repository:library/debian:pull,push</c>; several separated by a blank; empty for none.</param>
    /// <param name="error"><c>invalid_token</c> or <c>insufficient_scope</c> (RFC 6750 section 3.1), or null.</param>
    string Challenge(HttpContext context, string scope, string? error);
}

/// <summary>Outcome of reading credentials.</summary>
/// <param name="Caller">Who it is; null when the credentials are refused.</param>
/// <param name="RetryAfter">Set when too many tries have failed: how long to wait (429).</param>
public readonly record struct SignInResult(Caller? Caller, TimeSpan? RetryAfter = null)
{
    /// <summary>The credentials are wrong, expired or malformed.</summary>
    public static SignInResult Refused => new(null);
}
