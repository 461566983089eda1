// One Application in words: a sentence that says what Git says, what is applied, whether it is healthy and what to do next; then the details.
import type { ApplicationStatus } from '../model/application.ts';
import { shortSha } from '../model/revision.ts';
import { describeIntervention, suspensionOf } from '../model/suspension.ts';
import type { ApplicationObject } from './cluster-reader.ts';
import { escapeControl } from './escape-control.ts';
import { type Column, formatAge, formatFields, formatTable } from './table.ts';
import type { Terminal } from './terminal.ts';

type Source = NonNullable<ApplicationStatus['source']>;
type Condition = NonNullable<ApplicationStatus['conditions']>[number];
type StatusFinding = NonNullable<ApplicationStatus['findings']>['items'][number];
type StatusDrift = NonNullable<ApplicationStatus['drift']>[number];
type StatusExtra = NonNullable<ApplicationStatus['extraFields']>['items'][number];

/** Everything `setpoint get APP` shows of one Application. */
export function formatApplication(application: ApplicationObject, now: Date, paint: Terminal['paint']): string {
  const { metadata, status } = application;
  const conditions = (status?.conditions ?? []).filter(isWorthShowing);
  const sections = [
    `${paint('out', 'bold', escapeControl(`${metadata.namespace}/${metadata.name}`))}\n${escapeControl(summarize(application, now))}\n`,
    formatFields(fieldsOf(application, now)),
    section('CONDITIONS', conditions, conditionColumns(conditions, now), paint),
    formatStatusFindings(status?.findings, paint),
    section('DRIFT', status?.drift ?? [], driftColumns(now), paint),
    section('EXTRA FIELDS', status?.extraFields?.items ?? [], extraColumns(now), paint) + moreExtraFields(status?.extraFields),
  ];
  return sections.filter((text) => text !== '').join('\n');
}

/** What Git says → what is applied → is it healthy → what to do next, in one line. */
export function summarize(application: ApplicationObject, now: Date): string {
  const { status, metadata } = application;
  if (metadata.deletionTimestamp !== undefined) return isGoing(application, now);
  if (status?.observedGeneration === undefined)
    return 'The operator has not looked at this application yet; if this lasts, check that the operator runs.';
  const parts = [gitSays(status.source, now), isApplied(application), isHealthy(status), whatNext(application)];
  const stale =
    metadata.generation !== undefined && status.observedGeneration < metadata.generation
      ? 'The spec has changed since; the operator has not acted on it yet. '
      : '';
  return stale + parts.filter((part) => part !== '').join(' ');
}

function gitSays(source: Source | undefined, now: Date): string {
  if (source === undefined) return 'Nothing could be read from Git yet.';
  return `Git says ${shortSha(source.revision)} "${source.subject}" (${source.author}, ${formatAge(source.date, now)} ago).`;
}

function isApplied(application: ApplicationObject): string {
  const { status } = application;
  const applied = status?.sync?.revision;
  const newest = status?.source?.revision;
  const left = leftAlone(application);
  if (left !== undefined)
    return applied === undefined ? `Nothing is applied: ${left.what}.` : `${shortSha(applied)} is applied; ${left.what}.`;
  if (applied === undefined) return status?.sync?.status === 'Synced' ? 'It is applied.' : 'Nothing is applied yet.';
  if (isLeftByOthers(status)) return 'It is applied, but for what others changed and self-heal leaves.';
  if (newest !== undefined && applied !== newest)
    return `${hasErrorFindings(status) ? 'It is refused' : 'It is not applied'}; ${shortSha(applied)} stays applied.`;
  return status?.sync?.status === 'Synced' ? 'It is applied.' : 'It was applied, but the cluster differs now.';
}

/** Whether everything of the newest commit is applied that self-heal, being off or waiting, does not leave as others made it. */
function isLeftByOthers(status: ApplicationStatus | undefined): boolean {
  return conditionOf(status, 'Ready')?.reason === 'OutOfSync' && !hasErrorFindings(status);
}

interface LeftAlone {
  /** `the application is suspended`. */
  readonly what: string;
  readonly label: 'Paused' | 'Suspended';
  /** By what or whom, since when, why. */
  readonly why: string;
  /** How to go on. */
  readonly next: string;
}

/** Why the operator leaves the application alone; undefined when it does not. A pause of everything is known from the status alone. */
function leftAlone({ spec, status, metadata }: ApplicationObject): LeftAlone | undefined {
  const ready = conditionOf(status, 'Ready');
  if (ready?.reason === 'Paused') {
    return { what: 'Setpoint is paused', label: 'Paused', why: ready.message, next: `${capitalize(ready.message)}.` };
  }
  const suspension = suspensionOf({ spec, annotations: metadata.annotations ?? {} }, undefined);
  if (suspension === undefined) return undefined;
  const { namespace, name } = metadata;
  if (suspension.kind !== 'annotation') {
    return {
      what: 'the application is suspended',
      label: 'Suspended',
      why: 'by spec.suspend',
      next: `To go on: set spec.suspend to false in ${namespace}/${name}.`,
    };
  }
  const why = describeIntervention(suspension).trim();
  return {
    what: 'the application is suspended',
    label: 'Suspended',
    why: why === '' ? 'yes' : why,
    next: `To go on: setpoint resume ${name} -n ${namespace}.`,
  };
}

function isHealthy(status: ApplicationStatus): string {
  const health = status.health;
  if (health === undefined || health.status === 'Unknown') return 'Health is unknown.';
  const objects = status.resources?.total ?? 0;
  if (health.status === 'Healthy') return objects === 1 ? 'Its object is healthy.' : `All ${objects} objects are healthy.`;
  const decider = health.object === undefined ? '' : ` because of ${health.object.kind} ${refText(health.object)}`;
  return `It is ${health.status}${decider}${health.message === undefined || health.message === '' ? '' : `: ${health.message}`}.`;
}

/** The next step of the person who reads: the first finding to fix, the failing condition's own advice, or nothing. */
function whatNext(application: ApplicationObject): string {
  const { status } = application;
  const error = status?.findings?.items.find((finding) => finding.severity === 'error');
  if (error !== undefined) {
    const more = (status?.findings?.total ?? 1) - 1;
    return remedyOf(error, application, more > 0 ? ` (and ${more} more)` : '');
  }
  const left = leftAlone(application);
  if (left !== undefined) return left.next;
  const stalled = conditionOf(status, 'Stalled');
  if (stalled?.status === 'True') return `Stalled: ${stalled.message}.`;
  const ready = conditionOf(status, 'Ready');
  if (ready?.status === 'True') return 'Nothing to do.';
  if (ready?.reason === 'OwnershipConflict') return `${ownedElsewhere(ready.message)}; declare it in one of the two only.`;
  if (ready?.reason === 'ApplyConflict') return `${capitalize(ready.message.replace(/^apply /, ''))}.`;
  const reconciling = conditionOf(status, 'Reconciling');
  if (reconciling?.status === 'True') {
    return reconciling.reason === 'Retrying'
      ? `${capitalize(withoutStay(reconciling.message))}. The operator tries again.`
      : 'The operator is at work.';
  }
  return ready === undefined ? '' : `Not ready: ${ready.message}.`;
}

/** Where to go for a finding: the cluster's permissions, a line of the repo, or what its hint says when it has no line. */
function remedyOf(finding: StatusFinding, { spec, metadata }: ApplicationObject, more: string): string {
  if (finding.code === 'NoPermission' && finding.object !== undefined) {
    const subject = `${finding.object.kind} ${refText(finding.object)}`;
    return `Grant ServiceAccount ${metadata.namespace}/${spec.serviceAccountName} the permission for ${subject}${more}: ${finding.hint ?? finding.message}.`;
  }
  const place = placeOf(finding);
  if (place !== undefined) return `Fix ${place}${more} and commit.`;
  const { message, hint } = finding;
  if (hint === undefined) return `${capitalize(message)}${more}: correct that.`;
  return hint.endsWith('?') ? `${capitalize(message)}${more}: ${hint}` : `${capitalize(hint)}${more}.`;
}

/** `Deployment shop/web: it belongs to Application shop/other`, from the message of the condition, whose advice is left out. */
function ownedElsewhere(message: string): string {
  return capitalize((message.split('; ')[0] ?? message).replace(/^apply /, ''));
}

/** The sentence says already what is applied. */
function withoutStay(message: string): string {
  return message.replace(/; (the cluster stays at \w+|nothing was applied)$/, '');
}

/** That it goes, what becomes of its objects, and what it waits for. */
function isGoing({ metadata, spec, status }: ApplicationObject, now: Date): string {
  const objects = spec.deletionPolicy === 'Orphan' ? 'its objects stay' : 'its objects are deleted first';
  const ready = conditionOf(status, 'Ready');
  const waits =
    ready === undefined || ready.status === 'True' || ready.reason === 'Progressing' ? '' : ` It waits: ${withoutStay(ready.message)}.`;
  return `It is being deleted since ${formatAge(metadata.deletionTimestamp, now)}: ${objects}.${waits}`;
}

function capitalize(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function fieldsOf(application: ApplicationObject, now: Date): (readonly [string, string])[] {
  const { spec, status, metadata } = application;
  const ref = status?.source?.ref ?? spec.source.ref;
  const sync = status?.sync;
  const applied =
    sync?.revision === undefined
      ? 'nothing yet'
      : `${shortSha(sync.revision)}${sync.finishedAt === undefined ? '' : `, ${formatAge(sync.finishedAt, now)} ago`}`;
  const fields: (readonly [string, string])[] = [
    ['Source', `${spec.source.repoURL}${ref === undefined ? '' : ` at ${ref}`}, folder ${spec.source.path}, every ${spec.source.interval}`],
    ['Destination', spec.destination?.namespace ?? metadata.namespace],
    ['Acts as', `ServiceAccount ${metadata.namespace}/${spec.serviceAccountName}`],
    ['Applied', `${applied}${sync?.counts === undefined ? '' : ` (${countsText(sync.counts)})`}`],
    ['Sync', sync?.status ?? 'Unknown'],
    ['Health', status?.health?.status ?? 'Unknown'],
    ['Objects', String(status?.resources?.total ?? 0)],
  ];
  const left = leftAlone(application);
  return left === undefined ? fields : [...fields, [left.label, left.why]];
}

/** `2 create, 1 update`; `no change` when nothing was written. */
export function countsText(counts: NonNullable<NonNullable<ApplicationStatus['sync']>['counts']>): string {
  const written = (['create', 'update', 'prune', 'conflict'] as const).filter((action) => counts[action] > 0);
  return written.map((action) => `${counts[action]} ${action}`).join(', ') || 'no change';
}

/** Reconciling and Stalled say something only while they are True. */
function isWorthShowing(condition: Condition): boolean {
  return condition.status === 'True' || (condition.type !== 'Reconciling' && condition.type !== 'Stalled');
}

function conditionColumns(shown: readonly Condition[], now: Date): Column<Condition>[] {
  return [
    { header: 'TYPE', text: (condition) => condition.type },
    { header: 'STATUS', text: (condition) => condition.status },
    { header: 'REASON', text: (condition) => condition.reason },
    { header: 'AGE', text: (condition) => formatAge(condition.lastTransitionTime, now) },
    { header: 'MESSAGE', text: (condition) => messageOnce(condition, shown) },
  ];
}

/** The message, or which condition above has the same one. */
function messageOnce(condition: Condition, shown: readonly Condition[]): string {
  const first = shown.find(({ message }) => message === condition.message);
  return first === undefined || first === condition || condition.message === '' ? condition.message : `as ${first.type}`;
}

function driftColumns(now: Date): Column<StatusDrift>[] {
  return [
    { header: 'OBJECT', text: (drift) => `${drift.object.kind} ${refText(drift.object)}` },
    { header: 'FIELDS', text: driftFields },
    { header: 'BY', text: (drift) => drift.manager },
    { header: 'AGE', text: (drift) => formatAge(drift.time, now) },
    { header: 'HEALED', text: (drift) => (drift.healed ? 'yes' : 'no') },
  ];
}

function extraColumns(now: Date): Column<StatusExtra>[] {
  return [
    { header: 'OBJECT', text: (extra) => `${extra.object.kind} ${refText(extra.object)}` },
    { header: 'FIELDS', text: (extra) => extra.fields.join(', ') },
    { header: 'BY', text: (extra) => extra.manager },
    { header: 'AGE', text: (extra) => (extra.time === undefined ? '<unknown>' : formatAge(extra.time, now)) },
  ];
}

function moreExtraFields(extra: ApplicationStatus['extraFields']): string {
  return extra === undefined || extra.total <= extra.items.length ? '' : `… and ${extra.total - extra.items.length} more\n`;
}

/** `.spec.replicas, .spec.paused`, `added .metadata.annotations.note`, or `deleted`. */
export function driftFields(drift: StatusDrift): string {
  if (drift.kind === 'deleted') return 'deleted';
  return `${drift.kind === 'added' ? 'added ' : ''}${drift.fields.join(', ') || 'unknown'}`;
}

/** Findings of a status, one line each with its hint below; '' when there are none. */
export function formatStatusFindings(
  findings: ApplicationStatus['findings'],
  paint: Terminal['paint'],
  stream: 'out' | 'err' = 'out',
): string {
  if (findings === undefined || findings.items.length === 0) return '';
  const lines = findings.items.flatMap((finding) => {
    const place = placeOf(finding);
    const subject =
      finding.object === undefined ? '' : `${finding.object.kind} ${refText(finding.object)}${finding.field ? ` ${finding.field}` : ''}: `;
    const severity = paint(stream, finding.severity === 'error' ? 'red' : 'yellow', finding.severity);
    const first = `${place === undefined ? '' : paint(stream, 'bold', escapeControl(`${place}: `))}${severity} ${finding.code}: ${escapeControl(subject + finding.message)}`;
    return finding.hint === undefined ? [first] : [first, `    ${paint(stream, 'cyan', 'hint:')} ${escapeControl(finding.hint)}`];
  });
  if (findings.total > findings.items.length) lines.push(`… and ${findings.total - findings.items.length} more`);
  return `${paint(stream, 'bold', 'FINDINGS')}\n${lines.map((line) => `${line}\n`).join('')}`;
}

function placeOf(finding: StatusFinding): string | undefined {
  if (finding.file === undefined) return undefined;
  return finding.line === undefined ? finding.file : `${finding.file}:${finding.line}:${finding.column ?? 1}`;
}

/** `shop/web`, or the name alone for a cluster-scoped object. */
function refText(ref: { readonly namespace?: string; readonly name: string }): string {
  return ref.namespace === undefined || ref.namespace === '' ? ref.name : `${ref.namespace}/${ref.name}`;
}

/** A condition by type. */
export function conditionOf(status: ApplicationStatus | undefined, type: Condition['type']): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

function hasErrorFindings(status: ApplicationStatus | undefined): boolean {
  return status?.findings?.items.some((finding) => finding.severity === 'error') === true;
}

function section<Row>(title: string, rows: readonly Row[], columns: readonly Column<Row>[], paint: Terminal['paint']): string {
  return rows.length === 0 ? '' : `${paint('out', 'bold', title)}\n${formatTable(columns, rows, paint)}`;
}
