using System.Net;
using System.Security.Authentication;
using Amazon.Runtime;
using Amazon.S3;

namespace Berth.Blobs.S3;

/// <summary>
/// Calls the service with a time limit on each try, and tries again what may help: broken connections, time-outs, SlowDown and the like, bodies that
/// arrived damaged. Pauses double and vary. What does not help in the end is an <see cref="IOException"/> that says what to look at.
/// </summary>
internal sealed class S3Calls(S3Options options, string name, TimeProvider time, Random? random = null)
{
    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(20);

    private readonly Random _random = random ?? Random.Shared;

    /// <summary>Calls until it succeeds, or further tries do not help.</summary>
    /// <param name="what">What is done, for messages ("writing x").</param>
    /// <param name="bytes">Length of the body.</param>
    /// <param name="call">One try.</param>
    /// <param name="ct">Cancels it.</param>
    /// <exception cref="AmazonS3Exception">The service refuses, and not for a passing reason: the caller knows some of these answers.</exception>
    public async Task<T> RunAsync<T>(string what, long bytes, Func<CancellationToken, Task<T>> call, CancellationToken ct)
    {
        var began = time.GetTimestamp();
        for (var tries = 1; ; tries++)
        {
            Exception failure;
            using (var limit = new CancellationTokenSource(options.TryTimeout + TimeSpan.FromSeconds((double)bytes / options.MinBytesPerSecond), time))
            using (var both = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token))
            {
                try
                {
                    return await call(both.Token).ConfigureAwait(false);
                }
                catch (Exception e) when (MayPass(e) && !ct.IsCancellationRequested)
                {
                    failure = e is OperationCanceledException ? new TimeoutException("no answer within the time limit") : e;
                }
                catch (Exception e) when (!ct.IsCancellationRequested && e is not AmazonS3Exception and not IOException)
                {
                    throw Refused(e, what);
                }
                catch (Exception) when (ct.IsCancellationRequested)
                {
                    ct.ThrowIfCancellationRequested();
                    throw;
                }
            }
            if (tries >= options.MaxTries || time.GetElapsedTime(began) >= options.GiveUpAfter)
                throw new StoreUnavailableException($"{name} does not serve ({what}: {Describe(failure)}; {tries} tries): check that it is up and can be reached from here", failure);
            await Task.Delay(Pause(tries), time, ct).ConfigureAwait(false);
        }
    }

    /// <summary>An exception for an answer that no further try will change.</summary>
    public IOException Refused(Exception e, string what)
    {
        if (FindTls(e) is { } tls)
            return new IOException($"{name} has a certificate that is not trusted here ({tls.Message}): add its authority to the system's, or set skipVerify", e);
        if (e is not AmazonServiceException answer) return new IOException($"{name} cannot be asked ({what}: {e.Message}): check credentials, region and endpoint", e);
        var advice = (answer.ErrorCode, answer.StatusCode) switch
        {
            ("NoSuchBucket", _) => "create the bucket, or correct its name",
            ("PermanentRedirect" or "AuthorizationHeaderMalformed" or "IllegalLocationConstraintException", _) => "correct the region",
            (_, HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden) => "check the credentials, what they may do in the bucket, and this machine's clock",
            (_, HttpStatusCode.NotImplemented) => "the service lacks this: see chunkEncoding, checksum and encrypt in the documentation of the store",
            (_, HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.InsufficientStorage) => "free space in the store or raise its quota",
            _ => "see the documentation of the store for this answer",
        };
        var message = $"{name} refused {what} ({Describe(e)}): {advice}";
        return answer.StatusCode == HttpStatusCode.InsufficientStorage || answer.ErrorCode is "QuotaExceeded" or "XMinioStorageFull"
            ? new StoreFullException(message)
            : new IOException(message, e);
    }

    private static bool MayPass(Exception e) => e switch
    {
        _ when FindTls(e) is not null => false,
        // Half an answer is none.
        AmazonUnmarshallingException => true,
        AmazonServiceException answer => answer.ErrorCode is "SlowDown" or "RequestTimeout" or "InternalError" or "ServiceUnavailable" or "Throttling" or "ThrottlingException"
                or "RequestLimitExceeded" or "BandwidthLimitExceeded" or "RequestTimeTooSkewed" or "OperationAborted" or "BadDigest" or "IncompleteBody"
                or "XAmzContentSHA256Mismatch"
            // Two changes met (Ceph aborts an upload while it still cleans up behind its completion).
            || answer.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or HttpStatusCode.InternalServerError
                or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout
            || IsBroken(answer),
        AmazonClientException => IsBroken(e),
        HttpRequestException or OperationCanceledException => true,
        StoreUnavailableException or UploadBytesMissingException or StoreFullException => false,
        IOException => true,
        _ => false,
    };

    // The SDK wraps what the connection threw.
    private static bool IsBroken(Exception e) => e.InnerException is HttpRequestException or IOException or OperationCanceledException;

    private static AuthenticationException? FindTls(Exception e)
    {
        for (var inner = e; inner is not null; inner = inner.InnerException)
        {
            if (inner is AuthenticationException tls) return tls;
        }
        return null;
    }

    private static string Describe(Exception e) => e is AmazonServiceException answer ? $"{(int)answer.StatusCode} {answer.ErrorCode}: {answer.Message}" : e.Message;

    private TimeSpan Pause(int failures)
    {
        var pause = options.FirstPause * Math.Pow(2, failures - 1) * (0.5 + _random.NextDouble());
        return pause < MaxPause ? pause : MaxPause;
    }
}
