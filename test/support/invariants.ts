// What must be true of every history of requests, whatever failed and whenever the operator was killed. Pure: judges what a proxy recorded.
import { trackingLabelValue } from '../../constructs/annotations.ts';
import type { ProxiedRequest } from '../../dev/api-proxy.ts';

/** A commit as it was pushed. */
export interface PushedCommit {
  readonly sha: string;
  /** Before the push began, in milliseconds since the epoch. */
  readonly at: number;
  /** `ConfigMap/settings`, `Deployment.apps/web`, in the namespace of the Application; undefined when the commit cannot be synthesized or is not valid. */
  readonly declares: readonly string[] | undefined;
}

/** An Application whose requests are judged, and what Git said of it when. */
export interface JudgedApplication {
  readonly namespace: string;
  readonly name: string;
  /** @default setpoint-applier */
  readonly serviceAccount?: string;
  /** In the order in which they were pushed. */
  readonly commits: readonly PushedCommit[];
  /** When its deletion was asked for, in milliseconds since the epoch. */
  readonly deletedAt?: number;
}

/** Everything that came through a proxy since the first operator started. Assumes: answers of writes and of inventories were kept. */
export interface RequestHistory {
  readonly requests: readonly ProxiedRequest[];
  readonly applications: readonly JudgedApplication[];
}

interface Entry {
  /** '' until the apply that makes it is confirmed. */
  readonly uid: string;
}

/** An object as an acknowledged inventory names it. */
interface Owned {
  readonly application: JudgedApplication;
  readonly entry: Entry;
}

interface Chunk {
  /** Value of the label that names the Application. */
  readonly owner: string;
  readonly entries: ReadonlyMap<string, Entry>;
}

interface Judgement {
  readonly applications: ReadonlyMap<string, JudgedApplication>;
  /** Acknowledged inventories by `namespace/name`: what an operator could know. */
  readonly chunks: Map<string, Chunk>;
  /** UIDs that applies of ours were answered with, by object. */
  readonly applied: ReadonlyMap<string, ReadonlySet<string>>;
  /** Index of the newest commit that a stored status named, by Application. */
  readonly seen: Map<JudgedApplication, number>;
  readonly violations: string[];
}

/**
 * Every invariant that a history breaks, one line each:
 * - `I1` only what is in our inventory under the same UID is deleted, and each DELETE names that UID;
 * - `I2` an object is deleted only when a commit that can be read does not declare it, or its Application is being deleted;
 * - `I3` each write of a user's object is impersonated as the ServiceAccount of the Application that owns it;
 * - `I4` each is a server-side apply under one field manager;
 * - `I9` the commit in a status never goes back;
 * - `A15` no object is applied before an acknowledged inventory names it.
 */
export function brokenInvariants(history: RequestHistory): readonly string[] {
  const judgement: Judgement = {
    applications: new Map(history.applications.map((application) => [trackingLabelValue(application), application])),
    chunks: new Map(),
    applied: appliedUids(history.requests),
    seen: new Map(),
    violations: [],
  };
  const moments = history.requests.flatMap((request) => [
    { at: request.cameAt, judge: () => judgeRequest(judgement, request) },
    ...(request.answeredAt === undefined ? [] : [{ at: request.answeredAt, judge: () => learnInventory(judgement, request) }]),
  ]);
  for (const { judge } of moments.sort((left, right) => left.at - right.at)) judge();
  return judgement.violations;
}

function judgeRequest(judgement: Judgement, request: ProxiedRequest): void {
  if (isRead(request)) return;
  const status = statusWrite(request);
  if (status !== undefined) judgeStatus(judgement, request, status);
  if (isOwn(request)) return;
  const tell = (invariant: string, what: string): void => {
    judgement.violations.push(`${invariant} ${request.method} ${request.path} ${what}`);
  };
  if (request.query.has('dryRun')) {
    const accounts = [...judgement.applications.values()].map(userOf);
    if (!accounts.includes(request.impersonateUser ?? '')) tell('I3', `is sent as ${request.impersonateUser ?? 'the operator'}`);
    return;
  }
  const key = objectKey(request.path);
  const owned = ownerOf(judgement, key);
  if (request.method === 'DELETE') judgeDelete(judgement, request, owned, tell);
  else if (request.method !== 'PATCH' || request.contentType !== 'application/apply-patch+yaml' || manager(request) !== 'setpoint') {
    tell('I4', `is no server-side apply by setpoint but ${request.contentType} by ${manager(request)}`);
  } else if (owned === undefined) tell('A15', 'was sent before an acknowledged inventory named the object');
  const user = owned === undefined ? undefined : userOf(owned.application);
  if (user !== undefined && request.impersonateUser !== user)
    tell('I3', `is sent as ${request.impersonateUser ?? 'the operator'}, not ${user}`);
}

function judgeDelete(
  judgement: Judgement,
  request: ProxiedRequest,
  owned: Owned | undefined,
  tell: (invariant: string, what: string) => void,
): void {
  const uid = parse(request.body)?.['preconditions']?.['uid'];
  if (typeof uid !== 'string' || uid === '') tell('I1', 'names no UID');
  else if (owned === undefined) tell('I1', 'is of an object that is in no inventory');
  else judgeDeletion(judgement, request, uid, owned, tell);
}

function judgeDeletion(
  judgement: Judgement,
  request: ProxiedRequest,
  uid: string,
  { application, entry }: Owned,
  tell: (invariant: string, what: string) => void,
): void {
  const isOurs = entry.uid === uid || (entry.uid === '' && judgement.applied.get(objectKey(request.path))?.has(uid) === true);
  if (!isOurs) tell('I1', `names UID ${uid}, the inventory ${entry.uid === '' ? 'none' : entry.uid}`);
  if (application.deletedAt !== undefined && application.deletedAt <= request.startedAt) return;
  const seen = judgement.seen.get(application) ?? 0;
  const allowed = application.commits
    .filter((commit, index) => index >= seen && commit.at <= request.startedAt)
    .some(
      ({ declares }) => declares !== undefined && !declares.some((named) => objectKey(request.path) === keyOfDeclared(named, application)),
    );
  if (!allowed) tell('I2', 'is of an object that every readable commit declares');
}

function judgeStatus(judgement: Judgement, request: ProxiedRequest, revision: string): void {
  const [, namespace, name] = /\/namespaces\/([^/]+)\/applications\/([^/]+)\/status$/.exec(request.path) ?? [];
  const application = [...judgement.applications.values()].find((one) => one.namespace === namespace && one.name === name);
  if (application === undefined || !isStored(request)) return;
  const index = application.commits.findIndex(({ sha }) => sha === revision);
  const seen = judgement.seen.get(application) ?? 0;
  if (index < 0) judgement.violations.push(`I9 the status of ${namespace}/${name} names ${revision}, which was never pushed`);
  else if (index < seen) {
    const from = application.commits[seen]?.sha ?? '';
    judgement.violations.push(`I9 the status of ${namespace}/${name} goes back from ${from.slice(0, 8)} to ${revision.slice(0, 8)}`);
  } else judgement.seen.set(application, index);
}

/** The Application whose acknowledged inventory names an object. */
function ownerOf({ chunks, applications }: Judgement, key: string): Owned | undefined {
  for (const { owner, entries } of chunks.values()) {
    const entry = entries.get(key);
    const application = applications.get(owner);
    if (entry !== undefined && application !== undefined) return { application, entry };
  }
  return undefined;
}

/** Takes in what the client learned of inventories: by its own write, or by a list. */
function learnInventory({ chunks }: Judgement, request: ProxiedRequest): void {
  if (!/\/setpoint\.dev\/[^/]+\/namespaces\/[^/]+\/inventories(\/|$)/.test(request.path) || !isStored(request)) return;
  if (request.method !== 'GET') {
    keepChunk(chunks, parse(request.body));
    return;
  }
  const owner = /inventory-of=([^,]+)/.exec(request.query.get('labelSelector') ?? '')?.[1];
  if (!request.query.has('continue')) for (const [name, chunk] of chunks) if (chunk.owner === owner) chunks.delete(name);
  for (const item of parse(request.answer ?? '')?.['items'] ?? []) keepChunk(chunks, item);
}

function keepChunk(chunks: Map<string, Chunk>, object: Json | undefined): void {
  const metadata = object?.['metadata'];
  const entries = ((object?.['entries'] ?? []) as string[]).map((text) => parse(text)).filter((entry) => entry !== undefined);
  chunks.set(`${metadata?.namespace}/${metadata?.name}`, {
    owner: metadata?.labels?.['setpoint.dev/inventory-of'] ?? '',
    entries: new Map(entries.map(({ v, k, ns, n, u }) => [keyOf(groupOf(v), ns ?? '', k, n), { uid: u ?? '' }])),
  });
}

function appliedUids(requests: readonly ProxiedRequest[]): ReadonlyMap<string, ReadonlySet<string>> {
  const applied = new Map<string, Set<string>>();
  for (const request of requests) {
    if (request.method !== 'PATCH' || request.query.has('dryRun') || isOwn(request) || !isStored(request)) continue;
    const uid = parse(request.answer ?? '')?.['metadata']?.['uid'];
    const key = objectKey(request.path);
    if (typeof uid === 'string') applied.set(key, (applied.get(key) ?? new Set()).add(uid));
  }
  return applied;
}

/** The commit that a write of a status names; undefined for all other requests. */
function statusWrite(request: ProxiedRequest): string | undefined {
  if (request.method !== 'PATCH' || !/\/applications\/[^/]+\/status$/.test(request.path)) return undefined;
  const operations = parse(request.body) as unknown as readonly Json[] | undefined;
  return operations?.find(({ path }) => path === '/status')?.['value']?.source?.revision;
}

/** The server did it, whether the client learned or not. */
function isStored({ status, answer }: ProxiedRequest): boolean {
  return answer !== undefined && status !== undefined && status < 300;
}

function isRead({ method }: ProxiedRequest): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** Objects of the operator's own, which it writes as itself. */
function isOwn({ path }: ProxiedRequest): boolean {
  return /^\/apis\/(setpoint\.dev|events\.k8s\.io|coordination\.k8s\.io)\//.test(path);
}

function manager({ query }: ProxiedRequest): string {
  return query.get('fieldManager') ?? 'nobody';
}

function userOf({ namespace, serviceAccount = 'setpoint-applier' }: JudgedApplication): string {
  return `system:serviceaccount:${namespace}:${serviceAccount}`;
}

/** `/apis/apps/v1/namespaces/shop/deployments/web` → `apps|shop|deployments|web`. */
function objectKey(path: string): string {
  const [, api, group = '', rest = ''] = /^\/(api|apis\/([^/]+))\/[^/]+\/(.*)$/.exec(path) ?? [];
  const parts = rest.split('/').map(decodeURIComponent);
  const namespace = parts[0] === 'namespaces' && parts.length > 2 ? parts[1] : '';
  const [plural = '', name = ''] = namespace === '' ? parts : parts.slice(2);
  return [api === 'api' ? '' : group, namespace, plural, name].join('|');
}

function keyOfDeclared(named: string, { namespace }: JudgedApplication): string {
  const [, kind = '', group = '', name = ''] = /^([^./]+)\.?([^/]*)\/(.+)$/.exec(named) ?? [];
  return keyOf(group, namespace, kind, name);
}

function keyOf(group: string, namespace: string, kind: string, name: string): string {
  const lower = kind.toLowerCase();
  return [group, namespace, lower.endsWith('s') ? `${lower}es` : `${lower.replace(/y$/, 'ie')}s`, name].join('|');
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
}

// biome-ignore lint/suspicious/noExplicitAny: bodies of every kind are looked into
type Json = Record<string, any>;

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
