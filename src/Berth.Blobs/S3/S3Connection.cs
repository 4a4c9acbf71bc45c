using System.Net;
using System.Net.Security;
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Credentials;
using Amazon.S3;
using Amazon.S3.Model;

namespace Berth.Blobs.S3;

/// <summary>The SDK's client as the options want it: credentials, addresses, what goes with each request. Tries and time limits are <see cref="S3Calls"/>'.</summary>
internal sealed class S3Connection : IDisposable
{
    // The SDK copies bodies in pieces of this size.
    private const int BufferBytes = 128 << 10;

    private readonly S3Options _options;
    private readonly SharedHttpClient _http;
    private readonly AmazonS3Client? _publicClient;
    private readonly ChecksumAlgorithm? _checksum;
    private readonly bool _chunks;

    /// <exception cref="IOException">The SDK can do nothing with the settings.</exception>
    public S3Connection(S3Options options)
    {
        _options = options;
        _http = new SharedHttpClient(options);
        _chunks = options.ChunkEncoding ?? IsAws;
        _checksum = ChecksumOf(options.Checksum, IsAws && _chunks);
        try
        {
            Client = Open(options.Endpoint);
            if (options.PublicEndpoint.Length > 0) _publicClient = Open(options.PublicEndpoint);
        }
        catch (AmazonClientException e)
        {
            _http.Dispose();
            throw new IOException($"S3 cannot be set up ({e.Message}): name a region or an endpoint", e);
        }
    }

    /// <summary>The client.</summary>
    public AmazonS3Client Client { get; }

    /// <summary>What messages call the store.</summary>
    public string Name => $"S3 bucket {_options.Bucket}{(IsAws ? "" : $" at {_options.Endpoint}")}";

    private bool IsAws => _options.Endpoint.Length == 0;

    /// <summary>True when the name of a checksum is one.</summary>
    public static bool IsChecksum(string name) => name.ToUpperInvariant() is "" or "NONE" or "CRC32" or "CRC32C" or "CRC64NVME" or "SHA1" or "SHA256";

    public PutObjectRequest Put(string key, Stream content)
    {
        var request = new PutObjectRequest
        {
            BucketName = _options.Bucket,
            Key = key,
            InputStream = content,
            AutoCloseStream = false,
            ContentType = "application/octet-stream",
            UseChunkEncoding = _chunks,
            DisablePayloadSigning = DisablesPayloadSigning,
            DisableDefaultChecksumValidation = _checksum is null,
        };
        if (_checksum is not null) request.ChecksumAlgorithm = _checksum;
        if (_options.StorageClass.Length > 0 && _options.StorageClass != "NONE") request.StorageClass = new S3StorageClass(_options.StorageClass);
        if (_options.ObjectAcl.Length > 0) request.CannedACL = new S3CannedACL(_options.ObjectAcl);
        if (!_options.Encrypt) return request;
        request.ServerSideEncryptionMethod = EncryptionMethod;
        if (_options.KeyId.Length > 0) request.ServerSideEncryptionKeyManagementServiceKeyId = _options.KeyId;
        return request;
    }

    public InitiateMultipartUploadRequest Begin(string key)
    {
        var request = new InitiateMultipartUploadRequest { BucketName = _options.Bucket, Key = key, ContentType = "application/octet-stream" };
        if (_checksum is not null) request.ChecksumAlgorithm = _checksum;
        if (_options.StorageClass.Length > 0 && _options.StorageClass != "NONE") request.StorageClass = new S3StorageClass(_options.StorageClass);
        if (_options.ObjectAcl.Length > 0) request.CannedACL = new S3CannedACL(_options.ObjectAcl);
        if (!_options.Encrypt) return request;
        request.ServerSideEncryptionMethod = EncryptionMethod;
        if (_options.KeyId.Length > 0) request.ServerSideEncryptionKeyManagementServiceKeyId = _options.KeyId;
        return request;
    }

    public UploadPartRequest PutPart(string key, string uploadId, int number, Stream content)
    {
        var request = new UploadPartRequest
        {
            BucketName = _options.Bucket,
            Key = key,
            UploadId = uploadId,
            PartNumber = number,
            InputStream = content,
            PartSize = content.Length,
            UseChunkEncoding = _chunks,
            DisablePayloadSigning = DisablesPayloadSigning,
            DisableDefaultChecksumValidation = _checksum is null,
        };
        if (_checksum is not null) request.ChecksumAlgorithm = _checksum;
        return request;
    }

    /// <summary>A URL to read an object for whoever has it.</summary>
    public async Task<Uri> SignAsync(string key, DateTimeOffset expires)
    {
        var endpoint = _options.PublicEndpoint.Length > 0 ? _options.PublicEndpoint : _options.Endpoint;
        var url = await (_publicClient ?? Client).GetPreSignedURLAsync(new GetPreSignedUrlRequest
        {
            BucketName = _options.Bucket,
            Key = key,
            Verb = HttpVerb.GET,
            Expires = expires.UtcDateTime,
            Protocol = _options.WithScheme(endpoint).StartsWith("http:", StringComparison.OrdinalIgnoreCase) ? Protocol.HTTP : Protocol.HTTPS,
        }).ConfigureAwait(false);
        return new Uri(url);
    }

    public void Dispose()
    {
        Client.Dispose();
        _publicClient?.Dispose();
        _http.Dispose();
    }

    // Over TLS the checksum behind the body is enough; without TLS the signature has to cover it.
    private bool DisablesPayloadSigning => _checksum is not null && _options.WithScheme(_options.Endpoint).StartsWith("https:", StringComparison.OrdinalIgnoreCase);

    private ServerSideEncryptionMethod EncryptionMethod => _options.KeyId.Length > 0 ? ServerSideEncryptionMethod.AWSKMS : ServerSideEncryptionMethod.AES256;

    private static ChecksumAlgorithm? ChecksumOf(string name, bool isUsual) => name.ToUpperInvariant() switch
    {
        "" => isUsual ? ChecksumAlgorithm.CRC32 : null,
        "NONE" => null,
        var known => new ChecksumAlgorithm(known),
    };

    private AmazonS3Client Open(string endpoint)
    {
        var config = new AmazonS3Config
        {
            ForcePathStyle = _options.ForcePathStyle ?? !IsAws,
            HttpClientFactory = _http,
            MaxErrorRetry = 0,
            Timeout = Timeout.InfiniteTimeSpan,
            BufferSize = BufferBytes,
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            // Every digest is verified where it matters.
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            AllowAutoRedirect = false,
            UseAccelerateEndpoint = _options.Accelerate,
            UseDualstackEndpoint = _options.UseDualStack,
            UseFIPSEndpoint = _options.UseFips,
            DisableLogging = true,
        };
        if (endpoint.Length > 0)
        {
            config.ServiceURL = _options.WithScheme(endpoint);
            config.AuthenticationRegion = _options.Region.Length > 0 ? _options.Region : "us-east-1";
            config.UseHttp = config.ServiceURL.StartsWith("http:", StringComparison.OrdinalIgnoreCase);
        }
        else if (_options.Region.Length > 0)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(_options.Region);
            config.UseHttp = !_options.Secure;
        }
        var client = Credentials() is { } credentials ? new AmazonS3Client(credentials, config) : new AmazonS3Client(config);
        if (_options.UserAgent.Length > 0) client.BeforeRequestEvent += AddUserAgent;
        return client;
    }

    private void AddUserAgent(object sender, RequestEventArgs e)
    {
        if (e is WebServiceRequestEventArgs { Headers: var headers } && headers.TryGetValue("User-Agent", out var agent)) headers["User-Agent"] = $"{agent} {_options.UserAgent}";
    }

    // Null leaves it to the SDK: environment, profile, web identity, container, instance.
    private AWSCredentials? Credentials()
    {
        AWSCredentials? own = _options switch
        {
            { AccessKey.Length: 0 } => null,
            { SessionToken.Length: 0 } => new BasicAWSCredentials(_options.AccessKey, _options.SecretKey),
            _ => new SessionAWSCredentials(_options.AccessKey, _options.SecretKey, _options.SessionToken),
        };
        if (_options.RoleArn.Length == 0) return own;
        if (_options.WebIdentityTokenFile.Length > 0)
            return new AssumeRoleWithWebIdentityCredentials(_options.WebIdentityTokenFile, _options.RoleArn, "berth");
        var assume = new AssumeRoleAWSCredentialsOptions();
        if (_options.RoleExternalId.Length > 0) assume.ExternalId = _options.RoleExternalId;
        return new AssumeRoleAWSCredentials(own ?? DefaultAWSCredentialsIdentityResolver.GetCredentials(), _options.RoleArn, "berth", assume);
    }

    private sealed class SharedHttpClient(S3Options options) : HttpClientFactory, IDisposable
    {
        private readonly HttpClient _client = new(Handler(options)) { Timeout = Timeout.InfiniteTimeSpan };

        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => _client;

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

        public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;

        public void Dispose() => _client.Dispose();

        private static SocketsHttpHandler Handler(S3Options options)
        {
            var handler = new SocketsHttpHandler
            {
                ConnectTimeout = options.ConnectTimeout,
                PooledConnectionLifetime = TimeSpan.FromMinutes(5),
                PooledConnectionIdleTimeout = TimeSpan.FromSeconds(55),
                MaxConnectionsPerServer = options.MaxConnections,
                AllowAutoRedirect = false,
                UseCookies = false,
                AutomaticDecompression = DecompressionMethods.None,
            };
            if (options.SkipVerify)
            {
#pragma warning disable CA5359 // The operator asked for it by name (skipVerify).
                handler.SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true };
#pragma warning restore CA5359
            }
            return handler;
        }
    }
}
