using Microsoft.AspNetCore.Http;

namespace Berth.Server.Access;

/// <summary>
/// One kind of credentials that come with a request by themselves and not in its <c>Authorization</c> header (mode <c>local</c>): a browser's session, the
/// word of a trusted proxy, a client certificate. Asked in the order in which they are registered, when there is no such header.
/// </summary>
internal interface IRequestCredentials
{
    /// <summary>Takes what belongs to this kind out of a request, whether it is used or not: called for every request, before any is asked.</summary>
    void Prepare(HttpContext context);

    /// <summary>Who the request comes from; null when it has no such credentials. Sets a <see cref="RequestProof"/> where a browser sends them unasked.</summary>
    ValueTask<SignInResult?> SignInAsync(HttpContext context, CancellationToken ct);
}

/// <summary>
/// Whether a request whose credentials a browser sends by itself was made by our own pages (CSRF); a request feature. Without it the credentials are such
/// that no other site can make a browser send them.
/// </summary>
/// <param name="IsProven">The request brings the token of its session, or says that it comes from our own pages.</param>
/// <param name="Token">What a form of our own pages brings along instead; null where the browser itself says where a request comes from.</param>
internal sealed record RequestProof(bool IsProven, string? Token = null);
