// Throwaway certificates for servers of tests on loopback.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ServerCertificate {
  readonly key: string;
  /** Signed by itself: clients name it as their authority. */
  readonly cert: string;
}

/** A certificate for 127.0.0.1 and localhost, made by openssl. */
export function selfSignedCertificate(): ServerCertificate {
  const directory = mkdtempSync(join(tmpdir(), 'setpoint-certificate-'));
  try {
    const names = 'subjectAltName=IP:127.0.0.1,DNS:localhost';
    const args = [
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
      '-addext',
      names,
    ];
    execFileSync('openssl', ['req', ...args, '-keyout', 'key.pem', '-out', 'cert.pem'], { cwd: directory, stdio: 'pipe' });
    return { key: readFileSync(join(directory, 'key.pem'), 'utf8'), cert: readFileSync(join(directory, 'cert.pem'), 'utf8') };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
