using System.Net;
using System.Text.RegularExpressions;
using Berth.Server.Identity;
using Berth.Server.Tests.SignIn;

namespace Berth.Server.Tests.Ui;

/// <summary>A server and browsers without scripts: they read pages, and fill and send forms as people do.</summary>
internal sealed partial class UiApp : IAsyncDisposable
{
    private UiApp(SignInApp server) => Server = server;

    public SignInApp Server { get; }

    public static async Task<UiApp> StartAsync() => new(await SignInApp.StartAsync(new IdentityOptions()));

    /// <summary>A browser in which somebody has signed in through the page.</summary>
    public async Task<HttpClient> SignInAsync(string name, string password, CancellationToken ct)
    {
        var browser = Server.Browser();
        using var answer = await SendAsync(browser, "/account/sign-in", "sign-in", ct, ("principal", name), ("password", password));
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        return browser;
    }

    public Task<HttpClient> AdminAsync(CancellationToken ct) => SignInAsync("admin", "Harbor12345", ct);

    /// <summary>Reads a page.</summary>
    public static async Task<(HttpStatusCode Status, string Html)> ReadAsync(HttpClient browser, string path, CancellationToken ct, string? language = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.ParseAdd("text/html");
        if (language is not null) request.Headers.AcceptLanguage.ParseAdd(language);
        using var answer = await browser.SendAsync(request, ct);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(ct));
    }

    /// <summary>Reads a page and sends its form, with the proof that the page has.</summary>
    public static async Task<HttpResponseMessage> SendAsync(HttpClient browser, string path, string action, CancellationToken ct, params (string Name, string Value)[] fields)
    {
        var (_, html) = await ReadAsync(browser, path, ct);
        var proof = Proof().Match(html) is { Success: true } found ? WebUtility.HtmlDecode(found.Groups[1].Value) : "";
        using var form = new FormUrlEncodedContent([new("_proof", proof), new("do", action), .. fields.Select(f => KeyValuePair.Create(f.Name, f.Value))]);
        return await browser.PostAsync(new Uri(path, UriKind.Relative), form, ct);
    }

    /// <summary>Sends a form that must be taken.</summary>
    public static async Task DoAsync(HttpClient browser, string path, string action, CancellationToken ct, params (string Name, string Value)[] fields)
    {
        using var answer = await SendAsync(browser, path, action, ct, fields);
        Assert.True(answer.StatusCode is HttpStatusCode.SeeOther, $"{answer.StatusCode}: {Text(await answer.Content.ReadAsStringAsync(ct))}");
    }

    /// <summary>What a page says, without tags.</summary>
    public static string Text(string html) => WebUtility.HtmlDecode(Tags().Replace(html, " "));

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    [GeneratedRegex("name=\"_proof\" value=\"([^\"]*)\"")]
    private static partial Regex Proof();

    [GeneratedRegex("<[^>]*>|\\s+")]
    private static partial Regex Tags();
}
