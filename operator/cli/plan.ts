// `setpoint plan APP`: what the next sync of an Application would do, in order and why. Writes nothing; how it is found out is in preview-application.ts.
import type { Command } from 'commander';
import type { Application } from '../model/application.ts';
import { hasErrors } from '../model/finding.ts';
import { describeSuspension, suspensionOf } from '../model/suspension.ts';
import { type DescribedChange, describePlan, type PlanDescription, type PlanVerdict } from '../plan/describe-plan.ts';
import type { Synthesizer } from '../synth/ports.ts';
import { addClusterFlags, addOutputFlag, type ClusterChoice, type ClusterOptions } from './cluster-reader.ts';
import { pathsFrom, type ShowPath } from './finding-text.ts';
import { formatPlan, type PlanReport } from './plan-text.ts';
import { type ApplicationPreview, type PreviewRequest, type PreviewStages, previewApplication } from './preview-application.ts';
import type { PreviewCluster } from './preview-cluster.ts';
import { type CommandDeps, runCommand } from './run-command.ts';
import { formatStructured } from './structured-output.ts';
import { printFindings, withCodeFrame } from './synthesize-folder.ts';
import type { ExitCode } from './terminal.ts';

/** What `plan` and `diff` need. */
export interface PreviewDeps extends CommandDeps {
  readonly openPreviewCluster: (choice: ClusterChoice) => Promise<PreviewCluster>;
  readonly openSynthesizer: () => Promise<Synthesizer>;
  readonly loadStages: () => Promise<PreviewStages>;
  readonly cwd: string;
}

interface PlanOptions extends ClusterOptions {
  readonly revision?: string;
  readonly dir?: string;
}

/** Adds `plan` to the program. */
export function registerPlan(program: Command, deps: PreviewDeps): void {
  const command = program
    .command('plan')
    .argument('<application>')
    .description('what the next sync would do, step by step, with reasons, fields and digest; exit code 1 when there is something to do');
  addOutputFlag(addClusterFlags(command))
    .option('--revision <revision>', 'this branch, tag or commit instead of the newest')
    .option('--dir <folder>', 'root of a checkout on this machine instead of the repository')
    .action((name: string, options: PlanOptions) => runCommand(deps, () => plan(name, options, deps)));
}

async function plan(name: string, options: PlanOptions, deps: PreviewDeps): Promise<ExitCode> {
  const { terminal } = deps;
  const cluster = await deps.openPreviewCluster(options);
  try {
    const application = await cluster.application(options.namespace ?? cluster.namespace, name);
    const preview = await previewApplication({ ...(await previewOptions(options, deps)), cluster, application });
    const report: PlanReport = {
      application: `${application.namespace}/${application.name}`,
      comparedAs: preview.identity,
      revision: shownRevision(preview),
      ref: preview.snapshot.ref,
      verdict: await verdictOf(preview, application),
      ...(preview.planned === undefined ? {} : { plan: describePlan(preview.planned) }),
    };
    if (options.output === 'json' || options.output === 'yaml') terminal.out(await formatStructured(report, options.output));
    else {
      terminal.out(formatPlan(report, terminal.paint, options.output === 'wide'));
      await printPreviewFindings(preview, showPathOf(options, deps), deps);
    }
    return report.verdict.kind === 'refused' || report.plan === undefined || saysAnything(report.plan) ? 1 : 0;
  } finally {
    await cluster.close();
  }
}

/** Whether there is something to do, or something that differs from Git and is left alone. */
function saysAnything({ steps, others }: PlanDescription): boolean {
  const isLeft = ({ action, fields }: DescribedChange): boolean =>
    action === 'conflict' || (action === 'skip' && (fields?.length ?? 0) > 0);
  return steps.length > 0 || others.some(isLeft);
}

/** The flags and parts that a preview is given. */
export async function previewOptions(
  { revision, dir }: Pick<PlanOptions, 'revision' | 'dir'>,
  { loadStages, openSynthesizer, terminal }: PreviewDeps,
): Promise<Omit<PreviewRequest, 'cluster' | 'application'>> {
  return {
    ...{ stages: await loadStages(), openSynthesizer, signal: terminal.signal },
    ...(revision === undefined ? {} : { revision }),
    ...(dir === undefined ? {} : { dir }),
  };
}

/** How positions are shown: as an editor opens them, when the files are on this machine. */
export function showPathOf({ dir, revision }: Pick<PlanOptions, 'revision' | 'dir'>, { cwd }: PreviewDeps): ShowPath {
  return dir === undefined || revision !== undefined ? (file) => file : pathsFrom(cwd, dir);
}

/** Findings with the lines they point at, to stderr: data on stdout stays data. */
export async function printPreviewFindings(
  { findings, snapshot }: ApplicationPreview,
  showPath: ShowPath,
  deps: PreviewDeps,
): Promise<void> {
  const framed = await Promise.all(findings.map((finding) => withCodeFrame(finding, snapshot)));
  printFindings(framed, showPath, deps.terminal, 'err');
}

function shownRevision({ snapshot }: ApplicationPreview): PlanReport['revision'] {
  const { sha, author, date, subject } = snapshot.revision;
  return { sha, author, date, subject };
}

async function verdictOf({ findings, planned, snapshot }: ApplicationPreview, application: Application): Promise<PlanVerdict> {
  if (hasErrors(findings))
    return { kind: 'refused', findings: await Promise.all(findings.map((finding) => withCodeFrame(finding, snapshot))) };
  const held = planned?.held;
  if (held !== undefined) {
    return { kind: 'held', code: held.code, message: held.message, ...(held.hint === undefined ? {} : { hint: held.hint }) };
  }
  // A pause of everything is known from the status: nobody needs to read Setpoint's own namespace for it.
  const ready = application.status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.reason === 'Paused') return { kind: 'suspended', message: ready.message };
  const suspension = suspensionOf(application, undefined);
  return suspension === undefined ? { kind: 'runs' } : { kind: 'suspended', message: describeSuspension(suspension, application) };
}
