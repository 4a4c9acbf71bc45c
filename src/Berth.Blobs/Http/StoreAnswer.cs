using System.Globalization;
using System.Net;
using System.Text;

namespace Berth.Blobs.Http;

/// <summary>An answer whose body was read.</summary>
internal sealed class StoreAnswer(HttpResponseMessage response, byte[] body)
{
    public HttpStatusCode Status => response.StatusCode;

    public bool IsSuccess => response.IsSuccessStatusCode;

    public byte[] Body => body;

    /// <summary>The body as text.</summary>
    public string Text => Encoding.UTF8.GetString(body);

    /// <summary>Length that the answer's headers say: of a HEAD the length of what is asked about.</summary>
    public long? ContentLength => response.Content.Headers.ContentLength;

    /// <summary>When what was asked for was changed.</summary>
    public DateTimeOffset? LastModified => response.Content.Headers.LastModified;

    /// <summary>First value of a header, or null.</summary>
    public string? Header(string name)
    {
        if (response.Headers.TryGetValues(name, out var values) || response.Content.Headers.TryGetValues(name, out values)) return values.FirstOrDefault();
        return null;
    }

    /// <summary>The answer in few words: status and the beginning of its body.</summary>
    public string Summary
    {
        get
        {
            var text = new StringBuilder(((int)Status).ToString(CultureInfo.InvariantCulture));
            if (!string.IsNullOrEmpty(response.ReasonPhrase)) text.Append(' ').Append(response.ReasonPhrase);
            if (body.Length == 0) return text.ToString();
            text.Append(": ");
            foreach (var c in Encoding.UTF8.GetString(body, 0, Math.Min(body.Length, 400))) text.Append(char.IsControl(c) ? ' ' : c);
            return text.ToString();
        }
    }
}
