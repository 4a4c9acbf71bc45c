// Azure's own SDK for JavaScript, driven by lines on standard input (bench/Berth.Bench/Targets/DirectProgram.cs).
// usage: AZURE_CONNECTION_STRING=… AZURE_CONTAINER=… node azure.mjs       (finds @azure/storage-blob from its working folder)
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';

const require = createRequire(process.cwd() + '/');
const { BlobServiceClient } = require('@azure/storage-blob');
const container = BlobServiceClient.fromConnectionString(process.env.AZURE_CONNECTION_STRING).getContainerClient(process.env.AZURE_CONTAINER);
await container.createIfNotExists();
console.log('ready');

for await (const line of createInterface({ input: process.stdin })) {
  const [verb, name, file] = line.split(' ');
  const blob = container.getBlockBlobClient(name);
  const start = performance.now();
  let bytes = 0;
  if (verb === 'put') {
    await blob.uploadFile(file, { blockSize: 16 << 20, concurrency: 4, onProgress: (p) => { bytes = p.loadedBytes; } });
  } else {
    for await (const piece of (await blob.download()).readableStreamBody) bytes += piece.length;
  }
  console.log(`${(performance.now() - start) / 1000} ${bytes}`);
}
