// What a control plane's directory holds before and after its API server first ran: keys, tokens, authority, kubeconfigs.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeKubeconfig } from './kubeconfig.ts';
import { FILES, USERS, type User, userKubeconfig } from './parts.ts';

export interface Secrets {
  readonly tokens: Readonly<Record<User, string>>;
}

/** Makes the directory, or completes one that was used before: keys and tokens found there stay valid. */
export function prepareDirectory(directory: string): Secrets {
  mkdirSync(join(directory, FILES.certificates), { recursive: true, mode: 0o700 });
  if (!existsSync(join(directory, FILES.accountPublicKey))) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(join(directory, FILES.accountKey), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    writeFileSync(join(directory, FILES.accountPublicKey), publicKey.export({ type: 'spki', format: 'pem' }));
  }
  const tokensPath = join(directory, FILES.tokens);
  if (!existsSync(tokensPath)) {
    const lines = USERS.map((user) => `${randomBytes(24).toString('base64url')},${user},${user},system:masters`);
    writeFileSync(tokensPath, `${lines.join('\n')}\n`, { mode: 0o600 });
  }
  const entries = readFileSync(tokensPath, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  return { tokens: Object.fromEntries(entries.map(([token, user]) => [user, token])) as Record<User, string> };
}

/** Writes the authority's certificate, and the kubeconfig of every user. */
export function writeAuthority(directory: string, url: string, ca: string, { tokens }: Secrets): void {
  writeFileSync(join(directory, FILES.ca), ca);
  for (const user of USERS) writeKubeconfig(join(directory, userKubeconfig(user)), { url, ca, user, token: tokens[user] });
}
