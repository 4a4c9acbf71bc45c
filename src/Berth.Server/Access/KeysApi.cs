using System.Text.Json.Serialization;
using Berth.Server.Api;
using Berth.Server.Platform.Events;

namespace Berth.Server.Access;

/// <summary>The keys that tokens are signed with: which there are, and making a new one.</summary>
internal sealed class KeysApi(SigningKeys keys, DomainEvents events)
{
    public static IEnumerable<ApiOperation> Operations(KeysApi api) =>
    [
        new("GET", "/keys", "listSigningKeys", "keys", ApiNeed.Admin, api.ListAsync)
        {
            Surface = ApiSurface.Berth, Summary = "List the keys that tokens are accepted from, the one that signs first", Answer = typeof(SigningKeyAnswer), IsList = true,
        },
        new("POST", "/keys/rotate", "rotateSigningKey", "keys", ApiNeed.Admin, api.RotateAsync)
        {
            Surface = ApiSurface.Berth,
            Summary = "Sign with a new key from now on; revoke_others ends all tokens that others have signed",
            Body = typeof(KeyRotation),
            Answer = typeof(SigningKeyAnswer),
        },
    ];

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        var all = (await keys.GetAsync(ct).ConfigureAwait(false)).Keys.Values.OrderByDescending(k => k.CreatedAt).ToList();
        return ApiResult.List(all.ConvertAll(k => new SigningKeyAnswer(k.Id, ApiTime.Text(k.CreatedAt), k == all[0])), all.Count, KeysJson.Default.ListSigningKeyAnswer);
    }

    private async Task<ApiResult> RotateAsync(ApiCall call, CancellationToken ct)
    {
        var wish = new KeyRotation(false);
        if (call.Http.Request.ContentLength is not (null or 0) || call.Http.Request.Headers.TransferEncoding.Count > 0)
        {
            (var isRead, wish, var refusal) = await call.ReadAsync(KeysJson.Default.KeyRotation, ct).ConfigureAwait(false);
            if (!isRead) return refusal!;
        }
        await keys.GetAsync(ct).ConfigureAwait(false);
        await keys.RotateAsync(wish.RevokeOthers, (session, id, token) => events.RaiseAsync(session, new DomainEvent
        {
            Operation = "create",
            ResourceType = "signing-key",
            Resource = id,
            Actor = call.Actor,
            Description = wish.RevokeOthers ? $"signing key {id} was made, all others were revoked" : $"signing key {id} was made",
        }, token), ct).ConfigureAwait(false);
        var newest = (await keys.GetAsync(ct).ConfigureAwait(false)).Newest;
        return ApiResult.Ok(new SigningKeyAnswer(newest.Id, ApiTime.Text(newest.CreatedAt), true), KeysJson.Default.SigningKeyAnswer);
    }
}

/// <summary>A key that tokens are accepted from.</summary>
public sealed record SigningKeyAnswer(string Id, string CreatedAt, bool IsSigning);

/// <summary>How to rotate the signing keys.</summary>
/// <param name="RevokeOthers">End all tokens that other keys have signed.</param>
public sealed record KeyRotation(bool RevokeOthers);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(List<SigningKeyAnswer>))]
[JsonSerializable(typeof(SigningKeyAnswer))]
[JsonSerializable(typeof(KeyRotation))]
internal sealed partial class KeysJson : JsonSerializerContext;
