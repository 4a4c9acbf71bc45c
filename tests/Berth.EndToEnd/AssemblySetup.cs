using Berth.EndToEnd.Images;

// Clients and servers share two cores and a few global places (container storage): one class after the other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: AssemblyFixture(typeof(ImageFixtures))]
