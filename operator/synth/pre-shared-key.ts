// The key that operator and synth server share, and the TLS options that make both prove that they know it.
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ConnectionOptions, TlsOptions } from 'node:tls';
import { OperatorError } from '../model/error.ts';

/** Forward secret, and usable by those alone who know the key: no certificate takes part. */
const ciphers = 'ECDHE-PSK-CHACHA20-POLY1305';
const identity = 'setpoint-operator';
const leastBytes = 16;

/** The key in a file, read anew each time so that it can be rotated. Throws OperatorError `InvalidConfiguration`. */
export function readKey(file: string): Buffer {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch (error) {
    throw invalidKey(`read the synth key ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const text = content.toString('latin1').trim();
  if (text.length < leastBytes) throw invalidKey(`the synth key ${file} has fewer than ${leastBytes} bytes`);
  return createHash('sha256').update(`setpoint synth\n${text}`, 'latin1').digest();
}

function invalidKey(message: string): OperatorError {
  return new OperatorError(message, { code: 'InvalidConfiguration', stage: 'synth', fate: 'transient' });
}

/** For the server: refuses whoever does not know the key. */
export function serverKeyOptions(keyFile: string): TlsOptions {
  const expected = Buffer.from(identity);
  return {
    ciphers,
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.2',
    handshakeTimeout: 5_000,
    pskCallback: (_, given) => {
      const name = Buffer.from(given);
      if (name.length !== expected.length || !timingSafeEqual(name, expected)) return null;
      try {
        return readKey(keyFile);
      } catch {
        return null;
      }
    },
  };
}

/** For the operator: refuses a server that does not know the key. */
export function clientKeyOptions(keyFile: string): ConnectionOptions {
  const psk = readKey(keyFile);
  // there is no certificate whose name could be checked: knowing the key is the identity
  return {
    ciphers,
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.2',
    checkServerIdentity: () => undefined,
    pskCallback: () => ({ psk, identity }),
  };
}
