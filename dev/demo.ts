// `npm run demo`: starts everything and says what to try; with --once it plays the steps by itself. Nothing is left behind.

import path from 'node:path';
import { DemoCleanup } from './demo-cleanup.ts';
import { playOnce } from './demo-play.ts';
import { heading, line, suggestion } from './demo-print.ts';
import { bin } from './demo-processes.ts';
import { type DemoWorld, startWorld, tenant } from './demo-world.ts';

const usage =
  'usage: npm run demo               starts everything, says what to try, ends with Ctrl-C\n       npm run demo -- --once     plays commit, sync, drift, heal, bad commit and revert, then ends\n';

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.filter((argument) => argument !== '--once');
  if (unknown.length > 0) {
    process.stderr.write(usage);
    return unknown.includes('--help') ? 0 : 2;
  }
  const stop = new AbortController();
  const cleanup = new DemoCleanup();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort(new Error('stopped')));
  try {
    const started = performance.now();
    heading('Setpoint demo');
    const world = await startWorld(cleanup, stop.signal);
    if (args.includes('--once')) {
      await playOnce(world, stop.signal);
      line(`\n  every step passed in ${((performance.now() - started) / 1000).toFixed(1)} s`);
    } else {
      showWhatToTry(world);
      await stopped(stop.signal);
    }
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return args.includes('--once') ? 1 : 0;
    process.stderr.write(`\n  demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    if (stop.signal.aborted) line('\n  stopping');
    await cleanup.run();
  }
}

function showWhatToTry(world: DemoWorld): void {
  const clone = path.join(world.directory, 'manifests');
  const { namespace, application } = tenant;
  const kubectl = world.controlPlane.programs.kubectl;
  heading('In another terminal');
  line(`  export KUBECONFIG=${world.controlPlane.kubeconfigPath}`);
  if (kubectl !== undefined) line(`  alias kubectl=${kubectl}`);
  line(`  alias setpoint=${bin}`);
  line(`  git clone ${world.repoURL} ${clone} && cd ${clone}`);
  heading('Then try');
  suggestion(`setpoint get ${application} -n ${namespace}`, 'the application in words');
  suggestion(`setpoint why Deployment/shop -n ${namespace}`, 'which line of which commit made it');
  suggestion(`setpoint history ${application} -n ${namespace}`, 'who, when, what');
  suggestion(`setpoint events ${application} -n ${namespace} --watch`, 'what happens, live');
  suggestion(`kubectl -n ${namespace} scale deployment/shop --replicas=5`, 'drift: healed at once');
  suggestion('edit lib/environment.ts; git commit -a -m "my change"; git push', 'a commit: live at once');
  suggestion(`setpoint wait ${application} -n ${namespace} --revision $(git rev-parse HEAD)`, 'until it is healthy');
  line(`\n  Operator: ${world.apiURL}   logs: ${world.directory}/*.log   Ctrl-C stops everything.\n`);
}

function stopped(signal: AbortSignal): Promise<void> {
  // The Git server keeps the process alive meanwhile.
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

process.exitCode = await main(process.argv.slice(2));
