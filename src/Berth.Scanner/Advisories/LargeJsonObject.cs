using System.Text.Json;

namespace Berth.Scanner.Advisories;

/// <summary>Walks the members of one very large JSON object without holding more than one member in memory.</summary>
internal sealed class LargeJsonObject(Stream stream, int maxMemberBytes)
{
    private byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;
    private bool _ended;
    private JsonReaderState _state = new(new JsonReaderOptions { MaxDepth = 64 });
    private bool _opened;

    /// <summary>The next member; null at the end. Throws <see cref="JsonException"/> or <see cref="InvalidDataException"/> when the text is no such object.</summary>
    public (string Name, JsonDocument Value)? Next()
    {
        while (true)
        {
            if (TryNext(out var member, out var finished))
                return member;
            if (finished)
                return null;
            if (_ended)
                throw new JsonException("the JSON text ends early");
            Fill();
        }
    }

    private bool TryNext(out (string, JsonDocument)? member, out bool finished)
    {
        member = null;
        finished = false;
        var reader = new Utf8JsonReader(_buffer.AsSpan(_start, _end - _start), _ended, _state);
        if (!_opened)
        {
            if (!reader.Read())
                return false;
            if (reader.TokenType != JsonTokenType.StartObject)
                throw new JsonException("the JSON text is no object");
            _opened = true;
            Keep(reader);
            reader = new Utf8JsonReader(_buffer.AsSpan(_start, _end - _start), _ended, _state);
        }
        if (!reader.Read())
            return false;
        if (reader.TokenType == JsonTokenType.EndObject)
        {
            finished = true;
            return false;
        }
        var name = Name(ref reader);
        if (!JsonDocument.TryParseValue(ref reader, out var value))
            return false;
        Keep(reader);
        member = (name, value);
        return true;
    }

    private static string Name(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString() ?? "";
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException("a name in the JSON text is no text", e);
        }
    }

    private void Keep(Utf8JsonReader reader)
    {
        _start += (int)reader.BytesConsumed;
        _state = reader.CurrentState;
    }

    private void Fill()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }
        if (_end == _buffer.Length)
        {
            if (_buffer.Length >= maxMemberBytes)
                throw new InvalidDataException("a member of the JSON object is too large");
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }
        var read = stream.Read(_buffer.AsSpan(_end));
        _ended = read == 0;
        _end += read;
    }
}
