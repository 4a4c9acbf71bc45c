namespace Berth.Server.Platform.Telemetry;

/// <summary>
/// Carries lines to a stream (standard output, standard error) on a thread of its own. Writers only copy their line into a buffer; they
/// never wait for the stream. When a stream does not keep up and the buffer is full, lines are dropped, counted, and a line says how many.
/// Lines are gathered for up to 20 ms; urgent ones (errors) go at once. After <see cref="Dispose"/> lines are written directly, so that
/// what is logged late in a shutdown is not lost.
/// </summary>
public sealed class LogOutput : IDisposable
{
    /// <summary>Most bytes that wait for the stream.</summary>
    public const int DefaultLimitBytes = 8 * 1024 * 1024;

    private const int FirstBytes = 16 * 1024;

    /// <summary>A buffer that grew beyond this in a busy moment is given back.</summary>
    private const int KeepBytes = 1024 * 1024;
    private static readonly TimeSpan s_gather = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_stopWithin = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly Stream _stream;
    private readonly int _limitBytes;
    private readonly Thread _thread;
    private readonly AutoResetEvent _wake = new(false);
    private readonly ManualResetEventSlim _hurry = new(false);
    private byte[] _filling = new byte[FirstBytes];
    private byte[] _spare = new byte[FirstBytes];
    private int _filled;
    private long _dropped;
    private long _droppedTold;
    private bool _stopped;

    /// <summary>Starts the thread.</summary>
    /// <param name="stream">Where the lines go; stays open.</param>
    /// <param name="limitBytes">Most bytes that wait for the stream.</param>
    public LogOutput(Stream stream, int limitBytes = DefaultLimitBytes)
    {
        _stream = stream;
        _limitBytes = limitBytes;
        _thread = new Thread(Run) { IsBackground = true, Name = "berth log" };
        _thread.Start();
        AppDomain.CurrentDomain.ProcessExit += OnProcessExit;
    }

    /// <summary>Lines that were lost because the stream did not keep up or could not be written.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Takes a whole line, its line feed included. Never blocks on the stream.</summary>
    public void Write(ReadOnlySpan<byte> line, bool urgent = false)
    {
        bool first, half;
        lock (_gate)
        {
            if (_stopped)
            {
                Send(line);
                return;
            }
            if (_filled + line.Length > _limitBytes)
            {
                Interlocked.Increment(ref _dropped);
                return;
            }
            first = _filled == 0;
            if (_filled + line.Length > _filling.Length)
                Array.Resize(ref _filling, Math.Min(_limitBytes, Math.Max(_filling.Length * 2, _filled + line.Length)));
            line.CopyTo(_filling.AsSpan(_filled));
            _filled += line.Length;
            half = _filled > _limitBytes / 2;
        }
        if (urgent || half) _hurry.Set();
        if (first) _wake.Set();
    }

    /// <summary>Writes what waits and ends the thread; waits at most five seconds for a stream that is stuck.</summary>
    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnProcessExit;
        Stop();
    }

    private void OnProcessExit(object? sender, EventArgs e) => Stop();

    private void Stop()
    {
        lock (_gate)
        {
            if (_stopped) return;
            _stopped = true;
        }
        _hurry.Set();
        _wake.Set();
        _thread.Join(s_stopWithin);
    }

    private void Run()
    {
        while (true)
        {
            _wake.WaitOne();
            _hurry.Wait(s_gather);
            _hurry.Reset();
            byte[] full;
            int length;
            bool last;
            lock (_gate)
            {
                (full, length, last) = (_filling, _filled, _stopped);
                (_filling, _spare, _filled) = (_spare, full.Length > KeepBytes ? new byte[FirstBytes] : full, 0);
                // Lines written after this point of a shutdown must come after the ones that waited.
                if (last) Send(full.AsSpan(0, length));
            }
            if (last) return;
            Send(full.AsSpan(0, length));
            TellDropped();
        }
    }

    private void Send(ReadOnlySpan<byte> lines)
    {
        try
        {
            _stream.Write(lines);
            _stream.Flush();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // There is nowhere left to report to: the number of lost lines is on the metrics page.
            Interlocked.Add(ref _dropped, lines.Count((byte)'\n'));
        }
    }

    private void TellDropped()
    {
        var dropped = Dropped;
        if (dropped == _droppedTold) return;
        var line = new LineBuffer().Raw("# "u8).Number(dropped - _droppedTold)
            .Raw(" log lines were dropped because the reader of this output is too slow\n"u8);
        _droppedTold = dropped;
        Send(line.Written);
    }
}
