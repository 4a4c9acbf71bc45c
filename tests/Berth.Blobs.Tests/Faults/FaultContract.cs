using System.Buffers;
using System.Diagnostics;
using Berth.Oci;

namespace Berth.Blobs.Tests.Faults;

/// <summary>
/// What every store behind a network must do when the network and the service fail: come through, or fail with an <see cref="IOException"/> within a bounded time
/// so that a further try succeeds; and never have other content than was pushed. The proxy stands before a real server.
/// </summary>
#pragma warning disable CA1001 // The proxy ends with the test, asynchronously (StopProxyAsync).
public abstract class FaultContract : StoreWords
#pragma warning restore CA1001
{
    private FaultProxy? _proxy;

    /// <summary>The spoilt way to the server.</summary>
    protected FaultProxy Proxy => _proxy ?? throw new InvalidOperationException("not started");

    /// <summary>How large the content is that is pushed: a few parts.</summary>
    protected virtual int ContentBytes => PartBytes + 1_000_000;

    /// <summary>Makes a store by way of the proxy, with tries of a second and short pauses, that gives up after a few.</summary>
    protected abstract IBlobStore OpenBy(Uri proxy);

    /// <summary>Starts the proxy before a server.</summary>
    protected IBlobStore StartProxy(Uri server)
    {
        _proxy = new FaultProxy(server);
        return OpenBy(_proxy.Url);
    }

    /// <summary>Stops the proxy.</summary>
    protected async ValueTask StopProxyAsync()
    {
        if (_proxy is not null) await _proxy.DisposeAsync();
    }

    public static TheoryData<string> Kinds => ["reset", "500", "503", "429", "lost", "done yet 500", "cut request", "cut answer", "silence"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Each_request_of_a_push_a_read_and_a_removal_comes_through_after_one_fault(string kind)
    {
        var content = Bytes(ContentBytes);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        // Each silence lasts a second: a few of them will do.
        var most = kind == "silence" ? 5 : int.MaxValue;
        Proxy.Spoil(FaultOf(kind), r => seen.Count < most && seen.Add($"{r.Method} {r.Target}"), int.MaxValue);
        var mark = await AppendAsync(Start("up"), content[..(PartBytes + 400_000)]);
        mark = await AppendAsync(OtherReplica(), mark, content[(PartBytes + 400_000)..]);
        var place = await CommitAsync(mark, Digest.Of(content));
        Assert.Equal(content, await ReadAsync(place));
        await Store.WriteUploadAsync("whole", content.AsMemory(0, 1000), None);
        Assert.Equal(1000, await Store.GetSizeAsync(Store.PlaceOf("whole", default), None));
        // A begin whose answer was lost has left something, too.
        await Store.DeleteUploadAsync("up", null, None);
        await Store.DeleteAsync(place, None);
        await Store.DeleteAsync(Store.PlaceOf("whole", default), None);
        Assert.True(Proxy.Injected >= Math.Min(7, most), $"{Proxy.Injected} of {Proxy.Requests} requests were spoilt");
        Proxy.Heal();
        Assert.Empty(await ListRawAsync());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Pushes_under_random_faults_end_in_the_right_content(int seed)
    {
        Proxy.SpoilAtRandom(seed, 0.25, [.. Kinds.Select(k => FaultOf(k.Data)).Where(f => f.Kind != FaultKind.Silence)]);
        await Task.WhenAll(Enumerable.Range(0, 3).Select(i => Task.Run(async () =>
        {
            var content = Bytes(ContentBytes, (seed * 10) + i);
            var place = await PushUntilDoneAsync($"up{i}", content);
            Proxy.Heal();
            Assert.Equal(content, await ReadAsync(place));
        })));
        Assert.True(Proxy.Injected > 0);
    }

    [Fact]
    public async Task A_read_goes_on_where_the_connection_broke()
    {
        var content = Bytes(ContentBytes);
        var place = await PushAsync("up", content);
        Proxy.Spoil(Fault.CutAnswer(300_000), r => r.Method == "GET", 3);
        Assert.Equal(content, await ReadAsync(place));
        Proxy.Spoil(Fault.CutAnswer(1000), r => r.Method == "GET", 2);
        using var reader = await Store.OpenReadAsync(place, 70_000, None);
        var buffer = new byte[5000];
        await FillAsync(reader!, buffer, 70_000);
        Assert.Equal(content[70_000..75_000], buffer);
        Assert.True(Proxy.Injected >= 4);
    }

    [Fact]
    public async Task An_outage_is_an_error_in_time_and_what_was_taken_in_is_not_lost()
    {
        var content = Bytes(ContentBytes);
        await using var appender = await Store.OpenUploadAsync(Start("up"), None);
        await appender.AppendAsync(new ReadOnlySequence<byte>(content, 0, 50_000), None);
        foreach (var fault in new[] { Fault.SlowDown, Fault.Reset, Fault.Silence })
        {
            Proxy.Spoil(fault, times: int.MaxValue);
            var began = Stopwatch.GetTimestamp();
            await Assert.ThrowsAsync<StoreUnavailableException>(async () => await appender.SaveAsync(None));
            if (fault.Kind != FaultKind.Silence) await Assert.ThrowsAsync<StoreUnavailableException>(async () => await Store.OpenReadAsync(Store.PlaceOf("none", default), 0, None));
            if (fault.Kind != FaultKind.Silence) await Assert.ThrowsAsync<StoreUnavailableException>(async () => await Store.DeleteAsync(Store.PlaceOf("none", default), None));
            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(60), $"{Stopwatch.GetElapsedTime(began)}");
            Proxy.Heal();
        }
        await appender.SaveAsync(None);
        await appender.AppendAsync(new ReadOnlySequence<byte>(content, 50_000, content.Length - 50_000), None);
        Proxy.Spoil(Fault.SlowDown, times: int.MaxValue);
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await appender.CommitAsync(Digest.Of(content), None));
        Proxy.Heal();
        await appender.CommitAsync(Digest.Of(content), None);
        Assert.Equal(content, await ReadAsync(Store.PlaceOf("up", Digest.Of(content))));
    }

    [Fact]
    public async Task A_call_that_is_cancelled_ends_at_once()
    {
        Proxy.Spoil(Fault.Silence, times: int.MaxValue);
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Store.WriteUploadAsync("up", Bytes(10), cancel.Token));
    }

    private async Task<BlobPlace> PushUntilDoneAsync(string key, byte[] content)
    {
        var mark = Start(key);
        for (var tries = 0; ; tries++)
        {
            Assert.True(tries < 50, "too many failures");
            try
            {
                while (mark.Offset < content.Length)
                {
                    var end = Math.Min(content.Length, (int)mark.Offset + 700_000);
                    mark = await AppendAsync(mark, content[(int)mark.Offset..end]);
                }
                return await CommitAsync(mark, Digest.Of(content));
            }
            catch (UploadBytesMissingException)
            {
                // Its commit may have been done while its answer was lost.
                var place = Store.PlaceOf(key, Digest.Of(content));
                if (await Store.ConfirmAsync(place, None) == content.Length) return place;
                mark = Start(key);
            }
            catch (IOException)
            {
                // Again from the last mark, as a client does.
            }
        }
    }

    private static Fault FaultOf(string kind) => kind switch
    {
        "reset" => Fault.Reset,
        "500" => Fault.InternalError,
        "503" => Fault.SlowDown,
        "429" => Fault.Answer(429),
        "lost" => Fault.LostAnswer,
        "done yet 500" => Fault.DoneYet500,
        "cut request" => Fault.CutRequest(10_000),
        "cut answer" => Fault.CutAnswer(40),
        "silence" => Fault.Silence,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
