// The floor: the same objects sent by a plain loop of server-side applies, at the concurrency that is best on this machine. None of the product's code.
import { readFileSync } from 'node:fs';
import { Pool } from 'undici';
import { plainObjects } from './workload.ts';

/** How to reach an API server as its administrator. */
export interface AdminAccess {
  readonly url: string;
  readonly caPath: string;
  readonly adminToken: string;
}

const plurals: Readonly<Record<string, string>> = {
  ConfigMap: 'configmaps',
  Service: 'services',
  Deployment: 'deployments',
  ServiceAccount: 'serviceaccounts',
  Role: 'roles',
};

/** Seconds to apply `objects` new objects in a namespace of their own, with `concurrency` requests in flight. */
export async function applyLoop(access: AdminAccess, objects: number, concurrency: number): Promise<number> {
  const pool = new Pool(access.url, { connections: concurrency, connect: { ca: readFileSync(access.caPath, 'utf8') } });
  const namespace = `floor-${objects}-${concurrency}-${process.hrtime.bigint()}`;
  const send = async (method: 'POST' | 'PATCH', path: string, type: string, body: unknown): Promise<void> => {
    const answer = await pool.request({
      method,
      path,
      headers: { authorization: `Bearer ${access.adminToken}`, 'content-type': type },
      body: JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 200)}`);
  };
  try {
    await send('POST', '/api/v1/namespaces', 'application/json', { metadata: { name: namespace } });
    const queue = plainObjects(objects).values();
    const started = performance.now();
    const worker = async (): Promise<void> => {
      for (const object of queue)
        await send('PATCH', `${pathOf(object, namespace)}?fieldManager=floor&force=true`, 'application/apply-patch+yaml', object);
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    return (performance.now() - started) / 1000;
  } finally {
    await pool.close();
  }
}

function pathOf(object: Record<string, unknown>, namespace: string): string {
  const apiVersion = String(object['apiVersion']);
  const name = (object['metadata'] as { name: string }).name;
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return `${root}/namespaces/${namespace}/${plurals[String(object['kind'])]}/${name}`;
}
