using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using static Berth.Server.Doctor.Finding;

namespace Berth.Server.Doctor;

/// <summary>Whom a visit is paid to, and how.</summary>
/// <param name="Address">Address of the registry, as clients have it.</param>
public sealed record DoctorVisitOptions(Uri Address)
{
    /// <summary>User to examine as; null for nobody.</summary>
    public string? User { get; init; }

    /// <summary>Password of the user.</summary>
    public string? Password { get; init; }

    /// <summary>Push, pull and delete a small image here; null writes nothing.</summary>
    public string? Repository { get; init; }

    /// <summary>Prometheus whose rules are looked at; null for none.</summary>
    public Uri? Prometheus { get; init; }
}

/// <summary>
/// The checklist from a client's side. What the server knows of itself is asked of it (<c>GET /api/berth/v1/doctor</c>); what only a client can see, the
/// network, the certificate, what strangers get, a push and a pull, is tried.
/// </summary>
public sealed class DoctorVisit : IDisposable
{
    private const int MaxAnswerBytes = 16 << 20;
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_certificateLeft = TimeSpan.FromDays(21);
    private static readonly TimeSpan s_slow = TimeSpan.FromSeconds(1);

    private readonly DoctorVisitOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpClient _http;
    private X509Certificate2? _certificate;
    private string? _certificateProblem;

    public DoctorVisit(DoctorVisitOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false };
        // What is wrong with a certificate is a finding; the rest is examined all the same, with nothing secret sent (see SignedIn).
#pragma warning disable CA5359 // The callback judges the certificate; SignedIn sends nothing secret where it is not good.
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
        {
            _certificate ??= certificate is null ? null : X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
            if (errors != SslPolicyErrors.None) _certificateProblem = ProblemOf(errors, chain);
            return true;
        };
#pragma warning restore CA5359
        _http = new HttpClient(handler) { BaseAddress = new Uri(options.Address.AbsoluteUri.TrimEnd('/') + "/"), Timeout = s_timeout, MaxResponseContentBufferSize = MaxAnswerBytes };
    }

    private bool MayTrust => _certificateProblem is null;

    /// <summary>Examines and reports. It does not throw for what is wrong with the registry.</summary>
    public async Task<DoctorReport> RunAsync(CancellationToken ct)
    {
        var seen = new Dictionary<string, Finding>(StringComparer.Ordinal);
        var isThere = await LookAsync(seen, "access.network", NetworkAsync, ct).ConfigureAwait(false);
        DoctorReport? inside = null;
        var whyNot = "the server cannot be reached";
        if (isThere)
        {
            seen["security.tls"] = Certificate();
            foreach (var (id, look) in new (string, Func<CancellationToken, Task<Finding>>)[]
            {
                ("access.anonymous", StrangersAsync), ("access.clients", ClientAsync), ("security.headers", HeadersAsync), ("monitoring.exposure", ExposureAsync),
            })
            {
                await LookAsync(seen, id, look, ct).ConfigureAwait(false);
            }
            (inside, whyNot) = await AskAsync(ct).ConfigureAwait(false);
        }
        if (_options.Prometheus is not null) await LookAsync(seen, "monitoring.alerts", AlertsAsync, ct).ConfigureAwait(false);
        if (!isThere) seen["deployment.service"] = Fail("it does not answer");
        var told = inside?.Checks.ToDictionary(line => line.Id, StringComparer.Ordinal) ?? [];
        var lines = DoctorChecks.All.Select(check => seen.TryGetValue(check.Id, out var finding) ? DoctorLine.Of(check, finding)
            : told.TryGetValue(check.Id, out var line) ? line
            : DoctorLine.Of(check, NotConfigured(check.Decide is null && isThere ? "was not asked for" : whyNot))).ToList();
        return DoctorReport.Of(inside?.Version ?? "", lines);
    }

    public void Dispose()
    {
        _http.Dispose();
        _certificate?.Dispose();
    }

    private static async Task<bool> LookAsync(Dictionary<string, Finding> seen, string id, Func<CancellationToken, Task<Finding>> look, CancellationToken ct)
    {
        try
        {
            seen[id] = await look(ct).ConfigureAwait(false);
            return true;
        }
        catch (HttpRequestException e)
        {
            seen[id] = Fail(e.InnerException is { } inner ? $"{e.Message}: {inner.Message}" : e.Message);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            seen[id] = Fail($"no answer within {s_timeout.TotalSeconds:0} s");
        }
        return false;
    }

    private async Task<Finding> NetworkAsync(CancellationToken ct)
    {
        var started = _time.GetTimestamp();
        using var answer = await _http.GetAsync(new Uri("v2/", UriKind.Relative), ct).ConfigureAwait(false);
        var took = _time.GetElapsedTime(started);
        if (answer.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.Unauthorized))
            return Fail($"/v2/ answers {(int)answer.StatusCode}{(answer.StatusCode == HttpStatusCode.ServiceUnavailable ? ": out of order, or under maintenance" : ": is it a registry?")}");
        var skew = answer.Headers.Date is { } date ? (date - _time.GetUtcNow()).Duration() : TimeSpan.Zero;
        if (skew > TimeSpan.FromMinutes(1)) return Fail($"the clocks of server and client differ by {skew.TotalSeconds:0} s: tokens will be refused");
        return took > s_slow ? Fail($"/v2/ took {took.TotalSeconds:0.0} s") : Pass($"/v2/ answers {(int)answer.StatusCode} after {took.TotalMilliseconds:0} ms");
    }

    private Finding Certificate()
    {
        if (_options.Address.Scheme != Uri.UriSchemeHttps)
            return _options.Address.IsLoopback ? NotConfigured("no TLS, on this machine only") : Fail("no TLS: passwords and images can be read on the way");
        if (_certificateProblem is { } problem) return Fail(problem);
        var left = _certificate!.NotAfter.ToUniversalTime() - _time.GetUtcNow().UtcDateTime;
        var until = $"the certificate is good until {_certificate.NotAfter.ToUniversalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}";
        return left < s_certificateLeft ? Fail($"{until}, {left.TotalDays:0} days") : Pass(until);
    }

    private async Task<Finding> StrangersAsync(CancellationToken ct)
    {
        using var answer = await _http.GetAsync(new Uri("v2/_catalog", UriKind.Relative), ct).ConfigureAwait(false);
        return answer.StatusCode == HttpStatusCode.OK ? Fail("strangers may list the repositories") : Pass($"strangers get {(int)answer.StatusCode}");
    }

    private async Task<Finding> ClientAsync(CancellationToken ct)
    {
        if (SignedIn() is not { } credentials) return NotConfigured(MayTrust ? "no credentials were given" : "nothing secret is sent to a server whose certificate is not good");
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("v2/", UriKind.Relative)) { Headers = { Authorization = credentials } };
        using var answer = await _http.SendAsync(request, ct).ConfigureAwait(false);
        if (answer.StatusCode == HttpStatusCode.Unauthorized) return Fail($"{_options.User} cannot sign in: wrong password, disabled, locked, or ended");
        if (!answer.IsSuccessStatusCode) return Fail($"signing in answers {(int)answer.StatusCode}");
        if (_options.Repository is not { } repository) return Pass($"{_options.User} signs in; with --write an image goes there and back");
        var trip = new RoundTrip(_http, credentials, repository, _time);
        return await trip.RunAsync(ct).ConfigureAwait(false);
    }

    private async Task<Finding> HeadersAsync(CancellationToken ct)
    {
        using var answer = await _http.GetAsync(new Uri("v2/", UriKind.Relative), ct).ConfigureAwait(false);
        if (!answer.Headers.Contains("X-Content-Type-Options")) return Fail("X-Content-Type-Options is missing: a proxy takes headers away");
        if (_options.Address.Scheme == Uri.UriSchemeHttps && !answer.Headers.Contains("Strict-Transport-Security")) return Fail("Strict-Transport-Security is missing");
        return Pass("the headers are there");
    }

    private async Task<Finding> ExposureAsync(CancellationToken ct)
    {
        var open = new List<string>();
        foreach (var path in new[] { "metrics", "debug/health" })
        {
            using var answer = await _http.GetAsync(new Uri(path, UriKind.Relative), ct).ConfigureAwait(false);
            if (answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable && answer.Content.Headers.ContentLength is not 0) open.Add("/" + path);
        }
        return open.Count == 0 ? Pass("clients get neither") : Fail($"anybody may read {string.Join(" and ", open)}");
    }

    private async Task<Finding> AlertsAsync(CancellationToken ct)
    {
        using var client = new HttpClient { Timeout = s_timeout, MaxResponseContentBufferSize = MaxAnswerBytes };
        var text = await client.GetStringAsync(new Uri(_options.Prometheus!, "api/v1/rules?type=alert"), ct).ConfigureAwait(false);
        var names = text.Split("\"name\":\"Berth").Length - 1;
        return names > 0 ? Pass($"Prometheus has {names} rules and groups whose names begin with Berth") : Fail("Prometheus has no rule of Berth's");
    }

    // The server on itself.
    private async Task<(DoctorReport? Report, string WhyNot)> AskAsync(CancellationToken ct)
    {
        if (SignedIn() is not { } credentials) return (null, MayTrust ? "only an administrator is told: use --user and a password" : "not asked: the certificate is not good");
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("api/berth/v1/doctor", UriKind.Relative)) { Headers = { Authorization = credentials } };
        try
        {
            using var answer = await _http.SendAsync(request, ct).ConfigureAwait(false);
            if (!answer.IsSuccessStatusCode) return (null, $"the server answered {(int)answer.StatusCode}: only an administrator of a Berth in access.mode local is told");
            var report = JsonSerializer.Deserialize(await answer.Content.ReadAsByteArrayAsync(ct).ConfigureAwait(false), DoctorJson.Default.DoctorReport);
            return (report, "the server has nothing to say about this line");
        }
        catch (Exception e) when (e is HttpRequestException or JsonException)
        {
            return (null, $"the server could not be asked: {e.Message}");
        }
    }

    private AuthenticationHeaderValue? SignedIn() => MayTrust && _options is { User: { } user, Password: { } password }
        ? new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")))
        : null;

    private static string ProblemOf(SslPolicyErrors errors, X509Chain? chain) => errors switch
    {
        _ when errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) => "the certificate is for another name",
        _ when chain?.ChainStatus is { Length: > 0 } status => $"clients do not believe the certificate: {string.Join(", ", status.Select(s => s.StatusInformation.Trim()).Distinct())}",
        _ => "clients do not believe the certificate",
    };
}
