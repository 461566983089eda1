// Outcome and previous status → the new ApplicationStatus: the one place that derives it. Pure; writing it is cluster/'s matter.
import type { ApplicationStatus } from '../model/application.ts';
import { mergeConditions } from '../model/condition.ts';
import type { Finding } from '../model/finding.ts';
import type { ObjectRef } from '../model/object-ref.ts';
import type { Outcome } from '../model/outcome.ts';
import { conditionsOf } from './conditions.ts';
import { nextHistory } from './history.ts';
import { cutText, listedTextLimit, messageLimit, pathLimit, shortTextLimit } from './limits.ts';

/** Findings and drift entries that status holds. */
const listLimit = 20;
/** Field paths of one drift entry. */
const fieldLimit = 20;

/**
 * The status after one look.
 * Guarantees: the same outcome on top of its own status changes nothing, so that looks which find nothing new write nothing; every text
 * and list is bounded, so that the object stays far below the limit of the API server.
 */
export function deriveStatus(outcome: Outcome, previous: ApplicationStatus | undefined, historyLimit: number): ApplicationStatus {
  const sync = nextSync(outcome, previous?.sync);
  const history = nextHistory(outcome, previous?.history ?? [], historyLimit);
  const source = nextSource(outcome) ?? previous?.source;
  const findings = nextFindings([...outcome.findings, ...(outcome.notices ?? [])]);
  const adopted = nextAdopted(outcome) ?? previous?.adopted;
  const kept = (outcome.notices ?? []).filter(({ code }) => code === 'Protected').length;
  const drift = nextDrift(outcome, previous?.drift ?? []);
  const handled = outcome.handledRequest === undefined ? previous?.lastHandledReconcileAt : cutText(outcome.handledRequest, shortTextLimit);
  return {
    observedGeneration: outcome.observedGeneration,
    conditions: mergeConditions(previous?.conditions ?? [], conditionsOf(outcome, previous?.sync?.revision)),
    sync,
    health: healthOf(outcome),
    resources: { total: outcome.owned, ...(kept === 0 ? {} : { protected: kept }) },
    ...(handled === undefined ? {} : { lastHandledReconcileAt: handled }),
    ...(source === undefined ? {} : { source }),
    ...(findings === undefined ? {} : { findings }),
    ...(drift.length === 0 ? {} : { drift }),
    ...(adopted === undefined ? {} : { adopted }),
    ...extraFieldsIn(outcome),
    ...(history.length === 0 ? {} : { history }),
  };
}

type StatusOf<Name extends keyof ApplicationStatus> = NonNullable<ApplicationStatus[Name]>;

function nextSource(outcome: Outcome): StatusOf<'source'> | undefined {
  const { revision } = outcome;
  if (revision === undefined) return undefined;
  return {
    revision: revision.sha,
    author: cutText(revision.author, shortTextLimit),
    date: revision.date,
    subject: cutText(revision.subject, shortTextLimit),
    ref: cutText(outcome.ref ?? '', shortTextLimit),
  };
}

function nextSync(outcome: Outcome, previous: StatusOf<'sync'> | undefined): StatusOf<'sync'> {
  const status = syncStatusOf(outcome);
  const { result, revision } = outcome;
  const written = result.kind === 'synced' || result.kind === 'progressing';
  if (!written || revision === undefined) return { ...previous, status };
  const nothingNew = previous?.revision === revision.sha && !wroteAnything(outcome);
  if (nothingNew) return { ...previous, status };
  return { status, revision: revision.sha, finishedAt: outcome.finishedAt.toISOString(), counts: outcome.counts };
}

/** Failures before the cluster was compared leave it unknown whether it equals Git; one of health comes after everything was applied. */
function syncStatusOf({ result }: Outcome): StatusOf<'sync'>['status'] {
  switch (result.kind) {
    case 'synced':
    case 'progressing':
      return 'Synced';
    case 'applying':
    case 'out-of-sync':
    case 'rejected':
      return 'OutOfSync';
    case 'suspended':
      return 'Unknown';
    case 'failed':
      if (result.error.stage === 'health') return 'Synced';
      return result.error.stage === 'plan' || result.error.stage === 'apply' ? 'OutOfSync' : 'Unknown';
  }
}

function wroteAnything({ counts }: Outcome): boolean {
  return counts.create + counts.update + counts.prune > 0;
}

function healthOf({ health }: Outcome): StatusOf<'health'> {
  return {
    status: health.state,
    ...(health.message === '' ? {} : { message: cutText(health.message, messageLimit) }),
    ...(health.decidedBy === undefined ? {} : { object: objectOf(health.decidedBy) }),
  };
}

function nextFindings(findings: readonly Finding[]): StatusOf<'findings'> | undefined {
  if (findings.length === 0) return undefined;
  const worstFirst = [...findings].sort((left, right) => Number(left.severity === 'warning') - Number(right.severity === 'warning'));
  return { total: findings.length, items: worstFirst.slice(0, listLimit).map(findingOf) };
}

function findingOf(finding: Finding): StatusOf<'findings'>['items'][number] {
  const { position, object, hint, constructPath, field } = finding;
  return {
    code: finding.code,
    severity: finding.severity,
    message: cutText(finding.message, listedTextLimit),
    ...(hint === undefined ? {} : { hint: cutText(hint, listedTextLimit) }),
    ...(position === undefined ? {} : { file: cutText(position.file, pathLimit), line: position.line, column: position.column }),
    ...(constructPath === undefined ? {} : { constructPath: cutText(constructPath, pathLimit) }),
    ...(object === undefined ? {} : { object: objectOf(object) }),
    ...(field === undefined ? {} : { field: cutText(field, pathLimit) }),
  };
}

/**
 * Newest first. An entry that was not healed is replaced when the same object is reported again: it is one drift, seen twice, and dated
 * when it was told first. Entries of drift that is gone, because a later apply wrote the object or the person took it back, count as undone.
 */
function nextDrift(outcome: Outcome, previous: StatusOf<'drift'>): StatusOf<'drift'> {
  const fresh = outcome.drift.map((drift) => ({
    object: objectOf(drift.ref),
    kind: drift.kind,
    fields: drift.fields.slice(0, fieldLimit).map((field) => cutText(field, pathLimit)),
    manager: cutText(drift.manager, shortTextLimit),
    operation: cutText(drift.operation, 64),
    time: drift.time,
    healed: drift.healed,
  }));
  const standing = new Map(previous.filter(({ healed }) => !healed).map((entry) => [driftText(entry), entry]));
  const dated = fresh.map((entry) => (entry.healed ? entry : { ...entry, time: standing.get(driftText(entry))?.time ?? entry.time }));
  const reported = new Set(fresh.map(({ object }) => objectText(object)));
  const kept = previous.filter(({ healed, object }) => healed || !reported.has(objectText(object)));
  return [...dated, ...(tellsAllDrift(outcome) ? kept.map(undone) : kept)].slice(0, listLimit);
}

/** Whether a look says of all that was applied whether it is as in Git: then what it does not report does not differ any more. */
function tellsAllDrift({ result, drift }: Outcome): boolean {
  if (result.kind === 'out-of-sync') return drift.some(({ healed }) => !healed);
  return result.kind === 'synced' || result.kind === 'progressing';
}

type DriftEntry = StatusOf<'drift'>[number];

function undone(entry: DriftEntry): DriftEntry {
  return entry.healed ? entry : { ...entry, healed: true };
}

function objectText(object: DriftEntry['object']): string {
  return JSON.stringify(objectOf({ namespace: '', ...object }));
}

function driftText({ object, kind, fields, manager }: DriftEntry): string {
  return JSON.stringify([objectText(object), kind, fields, manager]);
}

/** What this look took over; undefined when it was nothing, so that the last time stays told. */
function nextAdopted({ adopted = [], finishedAt, revision }: Outcome): StatusOf<'adopted'> | undefined {
  if (adopted.length === 0) return undefined;
  return {
    total: adopted.length,
    time: finishedAt.toISOString(),
    ...(revision === undefined ? {} : { revision: revision.sha }),
    items: adopted.slice(0, listLimit).map(({ ref, from }) => ({
      object: objectOf(ref),
      managers: from.slice(0, listLimit).map((manager) => cutText(manager, shortTextLimit)),
    })),
  };
}

function extraFieldsIn({ extraFields = [] }: Outcome): Pick<ApplicationStatus, 'extraFields'> {
  if (extraFields.length === 0) return {};
  const items = extraFields.slice(0, listLimit).map(({ ref, fields, manager, operation, time }) => ({
    object: objectOf(ref),
    fields: fields.slice(0, fieldLimit).map((field) => cutText(field, pathLimit)),
    manager: cutText(manager, shortTextLimit),
    operation: cutText(operation, 64),
    ...(time === undefined ? {} : { time }),
  }));
  return { extraFields: { total: extraFields.length, items } };
}

function objectOf(ref: ObjectRef): StatusOf<'drift'>[number]['object'] {
  const { apiVersion, kind, namespace, name } = ref;
  return {
    apiVersion: cutText(apiVersion, 320),
    kind: cutText(kind, 63),
    ...(namespace === '' ? {} : { namespace: cutText(namespace, 63) }),
    name: cutText(name, 253),
  };
}
