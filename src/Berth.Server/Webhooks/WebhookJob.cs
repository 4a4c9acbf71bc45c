using System.Net;
using System.Net.Http.Headers;
using System.Net.Mail;
using System.Text;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Jobs;

namespace Berth.Server.Webhooks;

/// <summary>
/// Makes one delivery: a POST, or a mail. Address, header and secret are the policy's of now, so mending a policy mends what waits; the body is the
/// one that was written with the event. Only an answer of 200 to 299 counts as delivered.
/// </summary>
internal sealed class WebhookJob(Database database, WebhookTargets targets, WebhookOptions options, OutgoingGuard guard, TimeProvider time) : IJobHandler, IDisposable
{
    private const int MaxAnswerLogged = 1024;

    private static readonly string s_userAgent = "berth/" + typeof(WebhookJob).Assembly.GetName().Version?.ToString(3);

    private readonly HttpClient _strict = NewClient(guard, verifyCertificates: true, options.Timeout);
    private readonly HttpClient _lax = NewClient(guard, verifyCertificates: false, options.Timeout);

    public string Kind => WebhookPublisher.JobKind;

    public int MaxConcurrent => options.MaxConcurrent;

    public JobBackoff Backoff { get; } = new(TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(10));

    public async Task<JobOutcome> RunAsync(JobRun run, CancellationToken ct)
    {
        var delivery = WebhookPublisher.DeliveryOf(run.Payload);
        var policy = await database.ReadAsync(delivery.PolicyId, static (session, id, token) => WebhookRows.FindAsync(session, id, token), ct).ConfigureAwait(false);
        if (policy is null) return JobOutcome.Fail("the policy is gone");
        var all = targets.Read(policy.Targets);
        if (delivery.Target >= all.Count || all[delivery.Target].Type != delivery.NotifyType) return JobOutcome.Fail("the policy no longer has this target");
        var target = all[delivery.Target];
        var started = time.GetTimestamp();
        var (status, problem) = target.Type == WebhookTarget.Email
            ? await MailAsync(target, delivery, ct).ConfigureAwait(false)
            : await PostAsync(target, delivery, run, ct).ConfigureAwait(false);
        run.SetResult(new WebhookAnswer { Status = status, Milliseconds = (long)time.GetElapsedTime(started).TotalMilliseconds }, WebhookJson.Default.WebhookAnswer);
        run.Log(problem is null ? $"try {run.Attempt}: delivered to {AddressForLog(target)}" : $"try {run.Attempt}: {problem}");
        return problem is null ? JobOutcome.Done : JobOutcome.Retry(problem);
    }

    public void Dispose()
    {
        _strict.Dispose();
        _lax.Dispose();
    }

    private static HttpClient NewClient(OutgoingGuard guard, bool verifyCertificates, TimeSpan timeout) =>
        new(guard.NewHandler(verifyCertificates, timeout)) { Timeout = Timeout.InfiniteTimeSpan };

    private async Task<(int? Status, string? Problem)> PostAsync(WebhookTarget target, WebhookDelivery delivery, JobRun run, CancellationToken ct)
    {
        if (WebhookRules.AddressOf(target.Address) is not { } address) return (null, $"{target.Address} is no address");
        if (guard.ProblemOf(address) is { } refusal) return (null, refusal);
        using var timer = new CancellationTokenSource(options.Timeout, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct, timer.Token);
        using var request = NewRequest(target, delivery, address);
        run.Log($"try {run.Attempt}: POST {AddressForLog(target)}, event {delivery.EventType} {delivery.EventId}, {Encoding.UTF8.GetByteCount(delivery.Body)} bytes");
        try
        {
            using var answer = await (target.SkipCertVerify ? _lax : _strict).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token).ConfigureAwait(false);
            var status = (int)answer.StatusCode;
            if (answer.IsSuccessStatusCode) return (status, null);
            run.Log($"try {run.Attempt}: answered {status}: {await BeginningAsync(answer, limit.Token).ConfigureAwait(false)}");
            return (status, status is >= 300 and < 400 ? $"answered {status}, a redirect, which is not followed: set the final address" : $"abnormal response code: {status}");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return (null, $"no answer within {options.Timeout}");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return (null, e.InnerException is null ? e.Message : $"{e.Message}: {e.InnerException.Message}");
        }
    }

    private HttpRequestMessage NewRequest(WebhookTarget target, WebhookDelivery delivery, Uri address)
    {
        var body = Encoding.UTF8.GetBytes(delivery.Body);
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(delivery.ContentType);
        var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = content };
        request.Headers.TryAddWithoutValidation("User-Agent", s_userAgent);
        request.Headers.TryAddWithoutValidation("X-Berth-Event", delivery.EventType);
        request.Headers.TryAddWithoutValidation("X-Berth-Delivery", delivery.EventId);
        if (target.AuthHeader.Length > 0) request.Headers.TryAddWithoutValidation("Authorization", target.AuthHeader);
        if (target.Secret.Length > 0)
        {
            var timestamp = time.GetUtcNow().ToUnixTimeSeconds();
            request.Headers.TryAddWithoutValidation(WebhookSignature.TimestampHeader, $"{timestamp}");
            request.Headers.TryAddWithoutValidation(WebhookSignature.Header, WebhookSignature.Of(target.Secret, timestamp, body));
        }
        return request;
    }

    // What a receiver says about a failure, for the log of the delivery.
    private static async Task<string> BeginningAsync(HttpResponseMessage answer, CancellationToken ct)
    {
        await using var stream = await answer.Content.ReadAsStreamAsync(ct).ConfigureAwait(false);
        var buffer = new byte[MaxAnswerLogged];
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct).ConfigureAwait(false);
        return Encoding.UTF8.GetString(buffer, 0, length);
    }

    private async Task<(int? Status, string? Problem)> MailAsync(WebhookTarget target, WebhookDelivery delivery, CancellationToken ct)
    {
        var smtp = options.Smtp;
        if (smtp.Host.Length == 0) return (null, "no mail server is configured: set webhooks.smtp");
        using var client = new SmtpClient(smtp.Host, smtp.Port)
        {
            EnableSsl = smtp.Tls,
            DeliveryMethod = SmtpDeliveryMethod.Network,
            Credentials = smtp.Username.Length == 0 ? null : new NetworkCredential(smtp.Username, smtp.Password),
        };
        using var mail = new MailMessage(smtp.From, target.Address, delivery.Subject ?? delivery.EventType, delivery.Body) { BodyEncoding = Encoding.UTF8, SubjectEncoding = Encoding.UTF8 };
        mail.Headers.Add("X-Berth-Delivery", delivery.EventId);
        using var timer = new CancellationTokenSource(options.Timeout, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct, timer.Token);
        try
        {
            await client.SendMailAsync(mail, limit.Token).ConfigureAwait(false);
            return (null, null);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return (null, $"the mail server did not take the mail within {options.Timeout}");
        }
        catch (SmtpException e)
        {
            return (null, $"the mail server answered {(int)e.StatusCode}: {e.InnerException?.Message ?? e.Message}");
        }
    }

    // A query often holds a token.
    private static string AddressForLog(WebhookTarget target) =>
        target.Type != WebhookTarget.Email && WebhookRules.AddressOf(target.Address) is { } uri ? uri.GetLeftPart(UriPartial.Path) : target.Address;
}
