using System.Text;
using Berth.Bench.Content;
using Berth.Bench.Targets;
using Berth.Bench.Wire;

namespace Berth.Bench.Workloads;

/// <summary>
/// Eight workers push images that the registry has never seen: a layer of 10 KB, a configuration and a manifest by a new tag. A blob goes
/// either as docker sends it (HEAD, POST, PATCH, PUT) or by POST and PUT. Counted are images whose manifest was answered 201.
/// </summary>
internal sealed class ImagePushes(string name, string title, bool dockerSequence) : Workload(name, title, Unit.PerSecond)
{
    private SmallImage[] images = [];
    private Pushers? last;

    internal override void Arrange(Target target, TimeSpan duration)
    {
        var count = Math.Max(Limits.PushWorkers, (int)(duration.TotalSeconds * Limits.ImagesPerSecond));
        images = [.. Enumerable.Range(0, count).Select(_ => SmallImage.Create())];
    }

    internal override Measurement Round(Target target, TimeSpan duration)
    {
        last = new Pushers(target, images, dockerSequence);
        using var loop = new ClosedLoop(target, Limits.PushWorkers);
        var result = loop.Run(last, duration);
        return new Measurement(last.Pushed / result.Elapsed.TotalSeconds, last.Pushed);
    }

    /// <summary>Reads an image of the round back whole, and then lets the content go.</summary>
    internal override void Check(Target target)
    {
        var index = (last?.Pushed ?? 0) / 2;
        var image = images[index];
        using var connection = new HttpConnection(target);
        var repository = last!.RepositoryOf(index);
        Uploads.ReadBack(connection, target, $"/v2/{repository}/manifests/{Pushers.TagOf(image)}", image.Manifest.Bytes.Length, image.Manifest.Digest);
        Uploads.ReadBack(connection, target, $"/v2/{repository}/blobs/{image.Config.Digest}", image.Config.Bytes.Length, image.Config.Digest);
        Uploads.ReadBack(connection, target, $"/v2/{repository}/blobs/{image.Layer.Digest}", image.Layer.Bytes.Length, image.Layer.Digest);
        images = [];
    }

    /// <summary>The state of each worker: which image, which of its blobs, which step.</summary>
    private sealed class Pushers : IRequestSource
    {
        private readonly Target target;
        private readonly SmallImage[] images;
        private readonly bool dockerSequence;
        private readonly Worker[] workers;
        private readonly int[] workerOf;
        private int next;

        internal Pushers(Target target, SmallImage[] images, bool dockerSequence)
        {
            this.target = target;
            this.images = images;
            this.dockerSequence = dockerSequence;
            workerOf = new int[images.Length];
            workers = [.. Enumerable.Range(0, Limits.PushWorkers).Select(i => new Worker($"bench/worker-{i}"))];
        }

        private enum Step
        {
            NextImage,
            Head,
            Post,
            Patch,
            Put,
            Manifest,
        }

        internal int Pushed { get; private set; }

        internal static string TagOf(SmallImage image) => image.Manifest.Digest.Substring("sha256:".Length, 24);

        internal string RepositoryOf(int index) => workers[workerOf[index]].Repository;

        public ReadOnlyMemory<byte> Next(int connection, bool draining)
        {
            var worker = workers[connection];
            if (worker.Step == Step.NextImage)
            {
                if (draining || next == images.Length) return default;
                workerOf[next] = connection;
                worker.Image = images[next++];
                Begin(worker, worker.Image.Layer);
            }

            Render(worker);
            return worker.Request.Written;
        }

        public void Received(int connection, in ResponseHead head)
        {
            var worker = workers[connection];
            var expected = worker.Step switch { Step.Head => 404, Step.Post or Step.Patch => 202, _ => 201 };
            if (head.Status != expected) throw new IOException($"{worker.Step}: status {head.Status}, expected {expected}");
            if (worker.Step is Step.Post or Step.Patch) worker.TakeLocation(head);
            switch (worker.Step)
            {
                case Step.Head: worker.Step = Step.Post; break;
                case Step.Post: worker.Step = dockerSequence ? Step.Patch : Step.Put; break;
                case Step.Patch: worker.Step = Step.Put; break;
                case Step.Put when ReferenceEquals(worker.Blob, worker.Image!.Layer): Begin(worker, worker.Image.Config); break;
                case Step.Put: worker.Step = Step.Manifest; break;
                default:
                    worker.Step = Step.NextImage;
                    Pushed++;
                    break;
            }
        }

        private void Begin(Worker worker, Blob blob)
        {
            worker.Blob = blob;
            worker.Step = dockerSequence ? Step.Head : Step.Post;
        }

        private void Render(Worker worker)
        {
            var (request, blob) = (worker.Request, worker.Blob!);
            switch (worker.Step)
            {
                case Step.Head:
                    request.Begin(target, "HEAD", worker.BlobsPath, blob.Digest).End(hasBody: false);
                    break;
                case Step.Post:
                    request.Begin(target, "POST", worker.UploadsPath).End();
                    break;
                case Step.Patch:
                    request.Begin(target, "PATCH", worker.Location).End("application/octet-stream", blob.Bytes);
                    break;
                case Step.Put:
                    request.BeginPut(target, worker.Location, blob.Digest).End("application/octet-stream", dockerSequence ? [] : blob.Bytes);
                    break;
                default:
                    var image = worker.Image!;
                    request.Begin(target, "PUT", worker.ManifestsPath, TagOf(image)).End(SmallImage.ManifestType, image.Manifest.Bytes);
                    break;
            }
        }

        private sealed class Worker(string repository)
        {
            private byte[] location = new byte[1024];
            private int locationBytes;

            internal string Repository { get; } = repository;
            internal RequestWriter Request { get; } = new();
            internal byte[] BlobsPath { get; } = Encoding.ASCII.GetBytes($"/v2/{repository}/blobs/");
            internal byte[] UploadsPath { get; } = Encoding.ASCII.GetBytes($"/v2/{repository}/blobs/uploads/");
            internal byte[] ManifestsPath { get; } = Encoding.ASCII.GetBytes($"/v2/{repository}/manifests/");
            internal ReadOnlySpan<byte> Location => location.AsSpan(0, locationBytes);
            internal Step Step { get; set; }
            internal SmallImage? Image { get; set; }
            internal Blob? Blob { get; set; }

            internal void TakeLocation(in ResponseHead head)
            {
                var path = Target.PathOf(head.Field("Location"u8));
                if (path.Length == 0) throw new IOException($"{Step}: no Location");
                if (path.Length > location.Length) Array.Resize(ref location, path.Length);
                locationBytes = Encoding.ASCII.GetBytes(path, location);
            }
        }
    }
}
