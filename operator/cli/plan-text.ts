// A plan in words and tables. What is in it was decided and masked in plan/; everything that comes from a cluster or a repository is escaped here.
import type { JsonValue } from '../model/json.ts';
import { formatRef } from '../model/object-ref.ts';
import type { ActionCounts } from '../model/plan.ts';
import { shortSha } from '../model/revision.ts';
import type { DescribedChange, PlanDescription, PlanVerdict } from '../plan/describe-plan.ts';
import type { FieldChange } from '../plan/field-changes.ts';
import { escapeControl } from './escape-control.ts';
import { type Column, formatTable } from './table.ts';
import type { Style, Terminal } from './terminal.ts';

/** Everything `setpoint plan` has to show of one Application. */
export interface PlanReport {
  readonly application: string;
  /** Whose rights the server compared with. */
  readonly comparedAs: string;
  readonly revision: { readonly sha: string; readonly author: string; readonly date: string; readonly subject: string };
  readonly ref: string;
  readonly verdict: PlanVerdict;
  /** Absent when the commit is refused before it can be planned. */
  readonly plan?: PlanDescription;
}

interface Row {
  readonly step: string;
  readonly change: DescribedChange;
}

/** The plan as a table of its changes in order, the fields that differ, and whether it would run. */
export function formatPlan(report: PlanReport, paint: Terminal['paint'], isWide: boolean): string {
  const { plan, revision } = report;
  const commit = /^0+$/.test(revision.sha)
    ? 'files that are not committed'
    : `${shortSha(revision.sha)} "${revision.subject}" (${revision.author})`;
  const headline = `${paint('out', 'bold', escapeControl(report.application))}: ${escapeControl(commit)}, compared as ${escapeControl(report.comparedAs)}\n`;
  if (plan === undefined) return `${headline}${formatVerdict(report.verdict, paint)}`;
  const rows: readonly Row[] = [
    ...plan.steps.flatMap(({ changes }, index) => changes.map((change): Row => ({ step: String(index + 1), change }))),
    ...plan.others.filter(({ action }) => isWide || action !== 'unchanged').map((change): Row => ({ step: '-', change })),
  ];
  const table = rows.length === 0 ? '' : `\n${formatTable(columns(isWide), rows, paint)}`;
  const details = rows.map(({ change }) => formatDetails(change, paint, isWide)).join('');
  return `${headline}${table}${details}\n${formatWaits(plan)}${countsLine(plan.counts)}\n${formatVerdict(report.verdict, paint)}digest: ${plan.digest}\n`;
}

function columns(isWide: boolean): Column<Row>[] {
  const shown: Column<Row>[] = [
    { header: 'STEP', text: ({ step }) => step },
    { header: 'ACTION', text: ({ change }) => change.action, style: actionStyle },
    { header: 'OBJECT', text: ({ change }) => formatRef(change.object) },
    { header: 'REASON', text: ({ change }) => change.reason },
  ];
  if (!isWide) return shown;
  return [
    ...shown,
    { header: 'CONSTRUCT', text: ({ change }) => change.constructPath ?? '<none>' },
    { header: 'SOURCE', text: ({ change }) => change.position ?? '<none>' },
  ];
}

/** Colour of an action. */
export function actionStyle(action: string): Style | undefined {
  if (action === 'create') return 'green';
  if (action === 'prune' || action === 'conflict') return 'red';
  return action === 'update' || action === 'skip' ? 'yellow' : undefined;
}

/** The object with its place in the source, and below it one line per field. */
function formatDetails(change: DescribedChange, paint: Terminal['paint'], isWide: boolean): string {
  const { fields, note, takesOver } = change;
  const left = isWide ? (change.leftToOthers ?? []) : [];
  if (fields === undefined && note === undefined && left.length === 0) return '';
  const lines = [
    ...(note === undefined ? [] : [`  ${escapeControl(note)}`]),
    ...(fields ?? []).map((field) => `  ${formatFieldChange(field)}`),
    ...(fields?.length === 0 ? ['  no field differs'] : []),
    ...(takesOver ?? []).map(({ field, manager }) => `  ${escapeControl(`${field} is taken over from ${manager}`)}`),
    ...left.map((field) => `  ${escapeControl(`${field} is left to others`)}`),
  ];
  return `\n${formatHeading(change, paint)}\n${lines.map((line) => `${line}\n`).join('')}`;
}

/** `Deployment shop/web (shop/deployment/Resource, lib/web-service.ts:25:23)`. */
export function formatHeading({ object, constructPath, position }: DescribedChange, paint: Terminal['paint']): string {
  const place = [constructPath, position].filter((part) => part !== undefined).join(', ');
  const name = paint('out', 'bold', escapeControl(formatRef(object)));
  return place === '' ? name : `${name} (${escapeControl(place)})`;
}

/** `.spec.replicas: 5 → 3`; a field that Git no longer declares says what it falls back to: `5 → undeclared → 1`. */
export function formatFieldChange({ path, before, after, undeclared }: FieldChange): string {
  const steps = [valueText(before), ...(undeclared ? ['undeclared'] : []), valueText(after)];
  return escapeControl(`${path}: ${steps.join(' → ')}`);
}

const longestValue = 120;

function valueText(value: JsonValue | undefined): string {
  if (value === undefined) return 'absent';
  const text = JSON.stringify(value);
  return text.length <= longestValue ? text : `${text.slice(0, longestValue - 1)}…`;
}

function formatWaits({ steps }: PlanDescription): string {
  return steps
    .flatMap(({ waitHealthy }, index) =>
      waitHealthy.length === 0 ? [] : [`after step ${index + 1}: wait until healthy: ${escapeControl(waitHealthy.join(', '))}\n`],
    )
    .join('');
}

function countsLine(counts: ActionCounts): string {
  const told = (['create', 'update', 'prune', 'skip', 'conflict', 'unchanged'] as const).filter((action) => counts[action] > 0);
  return told.map((action) => `${counts[action]} ${action}`).join(', ') || 'no objects';
}

function formatVerdict(verdict: PlanVerdict, paint: Terminal['paint']): string {
  switch (verdict.kind) {
    case 'runs':
      return '';
    case 'held':
      return `${paint('out', 'red', 'held back:')} ${verdict.code}: ${escapeControl(verdict.message)}${verdict.hint === undefined ? '' : `; ${escapeControl(verdict.hint)}`}\n`;
    case 'suspended':
      return `${paint('out', 'yellow', 'not now:')} ${escapeControl(verdict.message)}\n`;
    case 'refused':
      return `${paint('out', 'red', 'refused:')} nothing of this commit would be applied\n`;
  }
}
