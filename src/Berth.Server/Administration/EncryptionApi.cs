using System.Text.Json.Serialization;
using Berth.Blobs.Encryption.Keys;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Storage;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Administration;

/// <summary>The keys that content is encrypted with: which there are, making a new one, and wrapping all of them by the present master key. No content is touched.</summary>
internal sealed class EncryptionApi(BlobStores stores, Database database, DomainEvents events, bool isEnabled)
{
    private const string Off = "nothing is encrypted here: set storage.encryption.masterKey first";

    public static IEnumerable<ApiOperation> Operations(EncryptionApi api) =>
    [
        new(HttpMethods.Get, "/encryption", "getEncryption", "encryption", ApiNeed.Admin, api.StatusAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Data keys of encrypted content, and which master keys they are wrapped by", Answer = typeof(EncryptionAnswer),
        },
        new(HttpMethods.Post, "/encryption/rotate", "rotateDataKey", "encryption", ApiNeed.Admin, api.RotateAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Encrypt new content with a new data key from now on; what is there stays as it is", Answer = typeof(EncryptionAnswer),
        },
        new(HttpMethods.Post, "/encryption/rewrap", "rewrapDataKeys", "encryption", ApiNeed.Admin, api.RewrapAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Wrap all data keys by the present master key, after which the former ones are not needed any more", Answer = typeof(EncryptionAnswer),
        },
    ];

    private async Task<ApiResult> StatusAsync(ApiCall call, CancellationToken ct) => ApiResult.Ok(await AnswerAsync(ct).ConfigureAwait(false), EncryptionJson.Default.EncryptionAnswer);

    private async Task<ApiResult> RotateAsync(ApiCall call, CancellationToken ct)
    {
        if (stores.Keys is not { } keys) return ApiResult.Conflict(Off);
        await keys.RotateAsync(Table(call, "create", id => $"data key {id} was made and encrypts new content"), ct).ConfigureAwait(false);
        return ApiResult.Ok(await AnswerAsync(ct).ConfigureAwait(false), EncryptionJson.Default.EncryptionAnswer);
    }

    private async Task<ApiResult> RewrapAsync(ApiCall call, CancellationToken ct)
    {
        if (stores.Keys is not { } keys) return ApiResult.Conflict(Off);
        try
        {
            await keys.RewrapAsync(Table(call, "update", _ => $"all data keys were wrapped by master key {keys.MasterKeyId}"), ct).ConfigureAwait(false);
        }
        catch (DataKeyMissingException e)
        {
            return ApiResult.Conflict(e.Message);
        }
        return ApiResult.Ok(await AnswerAsync(ct).ConfigureAwait(false), EncryptionJson.Default.EncryptionAnswer);
    }

    // What is audited stands in the transaction of what was done.
    private DataKeyTable Table(ApiCall call, string operation, Func<string, string> describe) => new(database, (session, id, token) => events.RaiseAsync(session, new DomainEvent
    {
        Operation = operation,
        ResourceType = "data-key",
        Resource = id,
        Actor = call.Actor,
        Description = describe(id),
    }, token));

    private async Task<EncryptionAnswer> AnswerAsync(CancellationToken ct)
    {
        var table = new DataKeyTable(database);
        var current = (await table.CurrentAsync(ct).ConfigureAwait(false))?.Id;
        var master = stores.Keys?.MasterKeyId;
        var all = (await table.AllAsync(ct).ConfigureAwait(false))
            .Select(k => new DataKeyAnswer(k.Id.ToString(), ApiTime.Text(k.CreatedAt.ToUnixTimeMilliseconds()), k.MasterKeyId, k.Id == current)).Reverse().ToList();
        return new EncryptionAnswer(isEnabled, master, all.Count(k => k.MasterKeyId != master), all);
    }
}

/// <summary>How content is encrypted.</summary>
/// <param name="IsEnabled">New content is encrypted.</param>
/// <param name="MasterKeyId">The master key that wraps new data keys; null where there is none.</param>
/// <param name="WrappedByOthers">Data keys that other master keys have wrapped: rewrap before those are taken out of the settings.</param>
/// <param name="DataKeys">All data keys, the newest first.</param>
public sealed record EncryptionAnswer(bool IsEnabled, string? MasterKeyId, int WrappedByOthers, IReadOnlyList<DataKeyAnswer> DataKeys);

/// <summary>A data key, without its secret.</summary>
/// <param name="Id">Its id.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="MasterKeyId">Which master key wraps it.</param>
/// <param name="IsCurrent">New content is encrypted with it.</param>
public sealed record DataKeyAnswer(string Id, string CreatedAt, string MasterKeyId, bool IsCurrent);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(EncryptionAnswer))]
internal sealed partial class EncryptionJson : JsonSerializerContext;
