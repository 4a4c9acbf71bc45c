using System.Text;
using Berth.Bench.Content;
using Berth.Bench.Targets;
using Berth.Bench.Wire;

namespace Berth.Bench.Workloads;

/// <summary>Single uploads and read-backs on a blocking connection (distribution specification, "Pushing blobs", "Pulling blobs").</summary>
internal static class Uploads
{
    /// <summary>POST, then PUT with the content.</summary>
    internal static void PostPut(HttpConnection connection, Target target, string repository, Blob blob)
    {
        var location = Begin(connection, repository);
        var request = new RequestWriter();
        request.BeginPut(target, Encoding.ASCII.GetBytes(location), blob.Digest).End("application/octet-stream", blob.Bytes);
        connection.Send(request.Written.Span).Expect($"PUT {location}", 201);
    }

    /// <summary>POST, PATCH with the content, PUT. The caller has the digest already; nothing is read back.</summary>
    internal static void PostPatchPut(HttpConnection connection, Target target, string repository, LargeContent content, LargeBlob blob)
    {
        var location = Begin(connection, repository);
        var request = new RequestWriter();
        request.Begin(target, "PATCH", Encoding.ASCII.GetBytes(location)).EndHead("application/octet-stream", blob.SizeBytes);
        Libc.SendAll(connection.Fd, request.Written.Span);
        content.SendTo(connection.Fd, blob);
        location = connection.Receive().Expect($"PATCH {location}", 202).Location;
        request.BeginPut(target, Encoding.ASCII.GetBytes(location), blob.Digest).End();
        connection.Send(request.Written.Span).Expect($"PUT {location}", 201);
    }

    internal static void PutManifest(HttpConnection connection, string repository, string reference, Blob manifest) =>
        connection.Send("PUT", $"/v2/{repository}/manifests/{reference}", SmallImage.ManifestType, manifest.Bytes)
            .Expect($"PUT manifest {repository}:{reference}", 201);

    /// <summary>GETs a path and compares length and SHA-256 with what was pushed.</summary>
    internal static void ReadBack(HttpConnection connection, Target target, string path, long sizeBytes, string digest)
    {
        Libc.SendAll(connection.Fd, RequestWriter.Render(target, "GET", path, accept: SmallImage.ManifestType + ", */*"));
        var head = connection.ReceiveHead();
        if (head.Status != 200) throw new IOException($"{target.Name}: GET {path}: status {head.Status}\n{head.Text}");
        if (head.ContentLength != sizeBytes) throw new IOException($"{target.Name}: GET {path}: {head.ContentLength} bytes announced, {sizeBytes} expected");
        var found = connection.HashBody(sizeBytes);
        if (found != digest) throw new IOException($"{target.Name}: GET {path}: content has {found}, pushed was {digest}");
    }

    private static string Begin(HttpConnection connection, string repository)
    {
        var path = $"/v2/{repository}/blobs/uploads/";
        var location = connection.Send("POST", path).Expect("POST " + path, 202).Location;
        return location.Length > 0 ? location : throw new IOException($"POST {path}: no Location");
    }
}
