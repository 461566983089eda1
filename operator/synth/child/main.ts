// The synth child: prepares an isolate and the bundler, waits for one request on stdin, answers on stdout, and is killed. Holds nothing of value.
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import path from 'node:path';
import esbuild from 'esbuild';
import { frameTypes } from '../frames.ts';
import type { ChildRequest } from '../messages.ts';
import { receiveFrame, sendFrame } from './channel.ts';
import { prepareIsolate } from './isolate.ts';
import type { ProvidedPackages } from './provided-packages.ts';
import { synthesizeRequest } from './synthesize.ts';

/** Arguments of the program: folder of the toolchain, and memory of the isolate in MB. */
const [folder = '.', memory = '512'] = process.argv.slice(2);

async function main(): Promise<void> {
  const prepared = prepareIsolate(readSnapshot(path.join(folder, 'libraries.snapshot')), Number(memory));
  const provided = JSON.parse(readFileSync(path.join(folder, 'provided.json'), 'utf8')) as ProvidedPackages;
  // the bundler's process is started before there is anything to bundle
  await esbuild.transform('');
  sendFrame(frameTypes.ready, '');
  const frame = receiveFrame();
  if (frame?.type !== frameTypes.request) return;
  const request = JSON.parse(frame.payload.toString('utf8')) as ChildRequest;
  const { objects, result } = await synthesizeRequest(request, prepared, provided);
  sendFrame(frameTypes.objects, objects);
  sendFrame(frameTypes.result, JSON.stringify(result));
  // the parent ends this process once it has the result
  receiveFrame();
}

/** The file as one buffer of its own: it is handed over, not copied. */
function readSnapshot(file: string): ArrayBuffer {
  const descriptor = openSync(file, 'r');
  const buffer = new ArrayBuffer(fstatSync(descriptor).size);
  const bytes = new Uint8Array(buffer);
  for (let filled = 0; filled < bytes.length; ) filled += readSync(descriptor, bytes, filled, bytes.length - filled, null);
  closeSync(descriptor);
  return buffer;
}

main()
  .catch((error: unknown) => sendFrame(frameTypes.failure, error instanceof Error ? (error.stack ?? error.message) : String(error)))
  .finally(() => process.exit(0));
