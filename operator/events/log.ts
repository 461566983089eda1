// The log: one JSON line per event worth reading. Decides level and words; where lines go is the caller's matter.
import { type DestinationStream, type Logger, pino } from 'pino';
import { formatAdoptions } from '../model/adoption.ts';
import { formatError, type OperatorError } from '../model/error.ts';
import type { OperatorEvent } from '../model/event.ts';
import { formatFinding } from '../model/finding.ts';
import { formatRef } from '../model/object-ref.ts';
import type { Outcome } from '../model/outcome.ts';
import { shortSha } from '../model/revision.ts';
import type { EventSubscriber } from './event-stream.ts';
import { safeText } from './safe-text.ts';

/** Members of a log line besides level, time and message. */
type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;
type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** What the log offers besides being a subscriber. */
export interface Log {
  readonly subscriber: EventSubscriber;
  /** A line that belongs to no event: start, stop. */
  write(level: Level, message: string, fields?: LogFields): void;
}

/** A log that writes each line before it returns, so that the last words before an exit are not lost. */
export function createLog(level: Level | 'silent', destination: DestinationStream): Log {
  const logger = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    destination,
  );
  return {
    subscriber: (event) => logEvent(logger, event),
    write: (at, message, fields = {}) => logger[at](safeFields(fields), safeText(message)),
  };
}

function logEvent(logger: Logger, event: OperatorEvent): void {
  const line = lineOf(event);
  if (logger.isLevelEnabled(line.level)) logger[line.level](safeFields(line.fields), safeText(line.message));
}

interface Line {
  readonly level: Level;
  readonly message: string;
  readonly fields: LogFields;
}

function lineOf(event: OperatorEvent): Line {
  switch (event.type) {
    case 'revision-seen':
      return {
        level: 'info',
        message: `commit ${shortSha(event.revision.sha)} by ${event.revision.author}: ${event.revision.subject}`,
        fields: { event: event.type, application: event.application, revision: event.revision.sha, previous: event.previous },
      };
    case 'history-rewritten':
      return {
        level: 'warn',
        message: `the branch was rewritten from ${shortSha(event.from)} to ${shortSha(event.to)}`,
        fields: { event: event.type, application: event.application, from: event.from, to: event.to },
      };
    case 'source-fetched':
      return {
        level: event.result === 'changed' ? 'debug' : 'trace',
        message: `looked at ${event.url}: ${event.result}`,
        fields: { event: event.type, url: event.url, result: event.result, seconds: event.seconds },
      };
    case 'synthesized':
      return {
        level: 'debug',
        message: `${event.objects} objects${event.cached ? ', nothing they depend on changed' : ' synthesized'}`,
        fields: { event: event.type, application: event.application, objects: event.objects, seconds: event.seconds, cached: event.cached },
      };
    case 'claimed':
      return {
        level: 'warn',
        message: `${formatRef(event.ref)} is declared by Application ${event.by} too`,
        fields: { event: event.type, application: event.application, by: event.by },
      };
    case 'adopted':
      return {
        level: 'info',
        message: `adopted ${formatAdoptions(event.adopted)}`,
        fields: { event: event.type, application: event.application, adopted: event.adopted.length },
      };
    case 'inventory-rebuilt':
      return {
        level: 'warn',
        message: `inventory rebuilt from ${event.found} live objects: ${event.why}`,
        fields: { event: event.type, application: event.application, found: event.found },
      };
    case 'drift':
      return driftLine(event);
    case 'fields-taken-over':
      return takenOverLine(event);
    case 'fight':
      return fightLine(event);
    case 'mutated-by-admission':
      return {
        level: 'warn',
        message: formatFinding(event.finding),
        fields: { event: event.type, application: event.application, code: event.finding.code },
      };
    case 'reconciled':
      return reconciledLine(event);
    case 'suspension':
      return {
        level: 'info',
        message: event.message ?? `goes on: no longer ${event.reason.toLowerCase()}`,
        fields: { event: event.type, application: event.application, suspended: event.message !== undefined },
      };
    case 'pause':
      return {
        level: 'warn',
        message: event.message ?? 'Setpoint is no longer paused',
        fields: { event: event.type, paused: event.message !== undefined },
      };
    case 'worked':
      return { level: 'trace', message: 'looked', fields: { ...event, event: event.type } };
    case 'application-removed':
      return { level: 'info', message: 'Application removed', fields: { event: event.type, application: event.application } };
    case 'leadership':
      return leadershipLine(event);
    case 'request':
      return {
        level: 'trace',
        message: `${event.method} ${event.code}`,
        fields: { event: event.type, method: event.method, code: event.code, host: event.host },
      };
    case 'failure':
      return {
        level: 'error',
        message: formatError(event.error),
        fields: { event: event.type, application: event.application, ...errorFields(event.error) },
      };
  }
}

function leadershipLine({ type, role, lease, identity, holder, reason }: Extract<OperatorEvent, { type: 'leadership' }>): Line {
  const fields = { event: type, role, lease, identity, holder, reason };
  switch (role) {
    case 'standby':
      return { level: 'info', message: holder === undefined ? 'standby: nobody leads' : `standby: ${holder} leads`, fields };
    case 'leading':
      return { level: 'info', message: 'leading', fields };
    case 'released':
      return { level: 'info', message: 'lease released', fields };
    case 'lost':
      return { level: 'error', message: `lease lost: ${reason ?? 'for no known reason'}; this operator ends`, fields };
  }
}

function driftLine({ type, application, drift }: Extract<OperatorEvent, { type: 'drift' }>): Line {
  const fields = drift.fields.join(', ') || 'unknown fields';
  const what = drift.kind === 'deleted' ? 'was deleted' : drift.kind === 'added' ? `had ${fields} added` : `changed at ${fields}`;
  return {
    level: 'info',
    message: `${formatRef(drift.ref)} ${what} by ${drift.manager}${drift.healed ? ' and was healed' : ''}`,
    fields: { event: type, application, manager: drift.manager, operation: drift.operation, driftedAt: drift.time, healed: drift.healed },
  };
}

function takenOverLine({ type, application, takenOver }: Extract<OperatorEvent, { type: 'fields-taken-over' }>): Line {
  const { ref, fields } = takenOver;
  const managers = [...new Set(fields.map(({ manager }) => manager))].sort().join(', ');
  return {
    level: 'info',
    message: `took ${fields.map(({ field }) => field).join(', ')} of ${formatRef(ref)} over from ${managers}`,
    fields: { event: type, application, managers },
  };
}

function fightLine({ type, application, fight }: Extract<OperatorEvent, { type: 'fight' }>): Line {
  const { ref, heals, manager } = fight;
  return {
    level: 'warn',
    message: `${formatRef(ref)} was healed ${heals} times and is changed back each time by ${manager}`,
    fields: { event: type, application, manager, heals },
  };
}

function reconciledLine({ type, application, syncId, outcome }: Extract<OperatorEvent, { type: 'reconciled' }>): Line {
  const { result, counts, revision } = outcome;
  const failed = result.kind === 'failed' ? errorFields(result.error) : {};
  return {
    ...verdictOf(outcome),
    fields: {
      ...{ event: type, application, syncId, revision: revision?.sha, initiatedBy: outcome.initiatedBy, result: result.kind },
      ...{ create: counts.create, update: counts.update, prune: counts.prune, unchanged: counts.unchanged, health: outcome.health.state },
      plan: outcome.planDigest,
      seconds: (outcome.finishedAt.getTime() - outcome.startedAt.getTime()) / 1_000,
      ...failed,
    },
  };
}

function verdictOf({ result, counts, owned }: Outcome): Pick<Line, 'level' | 'message'> {
  switch (result.kind) {
    case 'synced': {
      const wrote = counts.create + counts.update + counts.prune;
      return { level: wrote > 0 ? 'info' : 'debug', message: `synced: ${owned} objects, ${wrote} written` };
    }
    case 'applying':
      return { level: 'info', message: result.message };
    case 'progressing':
      return { level: 'info', message: `applied, not healthy yet: ${result.message}` };
    case 'out-of-sync':
      return { level: 'warn', message: `out of sync: ${result.message}` };
    case 'suspended':
      return { level: 'debug', message: 'suspended' };
    case 'rejected': {
      const first = result.findings.find((finding) => finding.severity === 'error');
      return {
        level: 'warn',
        message: `commit refused with ${result.findings.length} findings: ${first === undefined ? '' : formatFinding(first)}`,
      };
    }
    case 'failed':
      return { level: 'error', message: formatError(result.error) };
  }
}

function errorFields(error: OperatorError): LogFields {
  const unforeseen = error.code === 'Internal' && error.cause instanceof Error ? error.cause.stack : undefined;
  return { code: error.code, stage: error.stage, fate: error.fate, stack: unforeseen };
}

function safeFields(fields: LogFields): LogFields {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, typeof value === 'string' ? safeText(value) : value]));
}
