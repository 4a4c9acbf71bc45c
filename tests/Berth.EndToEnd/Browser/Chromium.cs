using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.EndToEnd.Harness;

namespace Berth.EndToEnd.Browser;

/// <summary>
/// A real Chromium with a profile of its own, and one page in it, driven by its own protocol (https://chromedevtools.github.io/devtools-protocol). The dozen commands
/// that the tests need are not worth a driver of a hundred megabytes.
/// </summary>
public sealed class Chromium : IAsyncDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder folder = new("chromium");
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonNode?>> waiting = [];
    private readonly ClientWebSocket socket = new();
    private readonly CancellationTokenSource ends = new();
    private Process? process;
    private Task reading = Task.CompletedTask;
    private int lastId;

    private Chromium()
    {
    }

    /// <summary>Starts it; skips the test where it is not installed.</summary>
    public static async Task<Chromium> Start(CancellationToken ct)
    {
        var program = Programs.Require("chromium");
        var browser = new Chromium();
        var start = new ProcessStartInfo(program) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])
            ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-port=0", $"--user-data-dir={browser.folder.FullPath}", "about:blank"])
        {
            start.ArgumentList.Add(argument);
        }
        browser.process = Process.Start(start)!;
        browser.process.OutputDataReceived += static (_, _) => { };
        browser.process.ErrorDataReceived += static (_, _) => { };
        browser.process.BeginErrorReadLine();
        browser.process.BeginOutputReadLine();
        try
        {
            await browser.Connect(ct);
        }
        catch
        {
            await browser.DisposeAsync();
            throw;
        }
        return browser;
    }

    /// <summary>Opens an address and waits until it is loaded.</summary>
    public async Task Open(string url, CancellationToken ct)
    {
        await Eval("window.isOfBefore = true", ct);
        await Send("Page.navigate", new JsonObject { ["url"] = url }, ct);
        await Until("!window.isOfBefore && document.readyState === 'complete'", ct);
    }

    /// <summary>The value of an expression on the page.</summary>
    public async Task<JsonNode?> Eval(string expression, CancellationToken ct)
    {
        var answer = await Send("Runtime.evaluate", new JsonObject { ["expression"] = expression, ["awaitPromise"] = true, ["returnByValue"] = true }, ct);
        Assert.True(answer?["exceptionDetails"] is null, $"{expression}: {answer?["exceptionDetails"]?.ToJsonString()}");
        return answer?["result"]?["value"]?.DeepClone();
    }

    /// <summary>Waits until an expression is true on the page, over navigations.</summary>
    public async Task Until(string expression, CancellationToken ct)
    {
        var since = Stopwatch.StartNew();
        while (true)
        {
            // Between two pages there is nobody to answer: asked again.
            var answer = await Send("Runtime.evaluate", new JsonObject { ["expression"] = $"!!({expression})", ["returnByValue"] = true }, ct, mayFail: true);
            if (answer?["result"]?["value"]?.GetValueKind() == JsonValueKind.True) return;
            if (since.Elapsed > s_limit) Assert.Fail($"never became true: {expression}\n{await Eval("location.href + '\\n' + document.body.innerText", ct)}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, ct);
        }
    }

    /// <summary>Waits for an element and fills it as somebody who types.</summary>
    public async Task Fill(string selector, string text, CancellationToken ct)
    {
        await Until($"document.querySelector({Quote(selector)})", ct);
        await Eval($"(() => {{ const e = document.querySelector({Quote(selector)}); e.focus(); e.value = {Quote(text)}; e.dispatchEvent(new Event('input', {{ bubbles: true }})); }})()", ct);
    }

    /// <summary>Waits for an element and clicks it.</summary>
    public async Task Click(string selector, CancellationToken ct)
    {
        await Until($"document.querySelector({Quote(selector)})", ct);
        await Eval($"document.querySelector({Quote(selector)}).click()", ct);
    }

    /// <summary>Waits until the page shows a text.</summary>
    public Task Shows(string text, CancellationToken ct) => Until($"document.body && document.body.innerText.includes({Quote(text)})", ct);

    /// <summary>Width and height of the window.</summary>
    public Task Resize(int width, int height, CancellationToken ct) => Send(
        "Emulation.setDeviceMetricsOverride", new JsonObject { ["width"] = width, ["height"] = height, ["deviceScaleFactor"] = 1, ["mobile"] = width < 600 }, ct);

    /// <summary>Light or dark, as the system of the reader would be.</summary>
    public Task PreferScheme(string scheme, CancellationToken ct) => Send(
        "Emulation.setEmulatedMedia", new JsonObject { ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = scheme }) }, ct);

    /// <summary>Headers of every request, such as the reader's languages.</summary>
    public Task SendHeader(string name, string value, CancellationToken ct) => Send("Network.setExtraHTTPHeaders", new JsonObject { ["headers"] = new JsonObject { [name] = value } }, ct);

    /// <summary>With or without scripts.</summary>
    public Task AllowScripts(bool isAllowed, CancellationToken ct) => Send("Emulation.setScriptExecutionDisabled", new JsonObject { ["value"] = !isAllowed }, ct);

    /// <summary>Runs a script in every page that is opened from now on, before its own.</summary>
    public Task AddScript(string source, CancellationToken ct) => Send("Page.addScriptToEvaluateOnNewDocument", new JsonObject { ["source"] = source }, ct);

    /// <summary>Forgets who is signed in, and every other cookie.</summary>
    public Task ForgetCookies(CancellationToken ct) => Send("Network.clearBrowserCookies", [], ct);

    /// <summary>Writes a picture of the page.</summary>
    public async Task Picture(string file, CancellationToken ct)
    {
        var answer = await Send("Page.captureScreenshot", new JsonObject { ["format"] = "png" }, ct);
        await File.WriteAllBytesAsync(file, Convert.FromBase64String(answer!["data"]!.GetValue<string>()), ct);
    }

    public async ValueTask DisposeAsync()
    {
        await ends.CancelAsync();
        if (process is { HasExited: false })
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }
        await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        process?.Dispose();
        socket.Dispose();
        ends.Dispose();
        folder.Dispose();
    }

    private static string Quote(string text) => JsonSerializer.Serialize(text);

    private async Task Connect(CancellationToken ct)
    {
        var portFile = folder.File("DevToolsActivePort");
        var since = Stopwatch.StartNew();
        string[] lines;
        while ((lines = File.Exists(portFile) ? await File.ReadAllLinesAsync(portFile, ct) : []).Length < 2)
        {
            if (since.Elapsed > s_limit || process!.HasExited) Assert.Fail("Chromium does not start");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, ct);
        }
        using var http = new HttpClient();
        JsonNode? page = null;
        while (page is null)
        {
            var targets = JsonNode.Parse(await http.GetStringAsync(new Uri($"http://127.0.0.1:{lines[0]}/json"), ct))!.AsArray();
            page = targets.FirstOrDefault(t => t?["type"]?.GetValue<string>() == "page");
            if (since.Elapsed > s_limit) Assert.Fail("Chromium has no page");
        }
        await socket.ConnectAsync(new Uri(page["webSocketDebuggerUrl"]!.GetValue<string>()), ct);
        reading = Task.Run(() => Read(ends.Token), CancellationToken.None);
        await Send("Page.enable", [], ct);
        await Send("Network.enable", [], ct);
    }

    private async Task<JsonNode?> Send(string method, JsonObject parameters, CancellationToken ct, bool mayFail = false)
    {
        var id = Interlocked.Increment(ref lastId);
        var answer = new TaskCompletionSource<JsonNode?>(TaskCreationOptions.RunContinuationsAsynchronously);
        waiting[id] = answer;
        var message = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters };
        await socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text, true, ct);
        var whole = await answer.Task.WaitAsync(s_limit, TimeProvider.System, ct);
        if (whole?["error"] is { } error && !mayFail) Assert.Fail($"{method}: {error.ToJsonString()}");
        return whole?["result"];
    }

    private async Task Read(CancellationToken ct)
    {
        var buffer = new byte[1 << 16];
        var message = new MemoryStream();
        while (!ct.IsCancellationRequested)
        {
            var part = await socket.ReceiveAsync(buffer, ct);
            if (part.MessageType == WebSocketMessageType.Close) return;
            message.Write(buffer, 0, part.Count);
            if (!part.EndOfMessage) continue;
            var json = JsonNode.Parse(message.ToArray());
            message.SetLength(0);
            if (json?["id"] is { } id && waiting.TryRemove(id.GetValue<int>(), out var answer)) answer.TrySetResult(json);
        }
    }
}
