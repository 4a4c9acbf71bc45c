namespace Berth.Blobs.Azure;

/// <summary>Azure's connection strings: <c>Name=value;Name=value</c>, values may hold an equals sign.</summary>
internal static class AzureConnectionString
{
    // The account that every emulator has; no secret.
    private const string Emulator = "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1";

    /// <summary>What is wrong; null when nothing is.</summary>
    public static string? Problem(string text)
    {
        var words = Parse(text);
        if (words is null) return "is no list of Name=value";
        if (!words.ContainsKey("BlobEndpoint") && !words.ContainsKey("AccountName")) return "names neither AccountName nor BlobEndpoint";
        if (words.TryGetValue("BlobEndpoint", out var endpoint) && !Uri.TryCreate(endpoint, UriKind.Absolute, out _)) return "has a BlobEndpoint that is no URL";
        return null;
    }

    /// <summary>Settings with what the string says in their place.</summary>
    public static AzureOptions Apply(AzureOptions options)
    {
        var words = Parse(options.ConnectionString)!;
        string Word(string name, string otherwise) => words.TryGetValue(name, out var value) && value.Length > 0 ? value : otherwise;
        var account = Word("AccountName", options.AccountName);
        var endpoint = Word("BlobEndpoint", "");
        // The first label of the host, or of an emulator the path, is the account.
        if (account.Length == 0) account = new Uri(endpoint) is { AbsolutePath.Length: > 1 } withPath ? withPath.AbsolutePath.Trim('/') : new Uri(endpoint).Host.Split('.')[0];
        if (endpoint.Length == 0) endpoint = $"{Word("DefaultEndpointsProtocol", "https")}://{account}.blob.{Word("EndpointSuffix", options.Realm)}";
        return options with
        {
            ConnectionString = "",
            AccountName = account,
            AccountKey = Word("AccountKey", options.AccountKey),
            SasToken = Word("SharedAccessSignature", options.SasToken),
            ServiceUrl = options.ServiceUrl.Length > 0 ? options.ServiceUrl : endpoint,
        };
    }

    private static Dictionary<string, string>? Parse(string text)
    {
        if (text.Trim().TrimEnd(';').Equals("UseDevelopmentStorage=true", StringComparison.OrdinalIgnoreCase)) text = Emulator;
        var words = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var word in text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = word.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0) return null;
            words[word[..equals]] = word[(equals + 1)..];
        }
        return words;
    }
}
