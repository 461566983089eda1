// Every command of the bin and what it is given. Code of a command, and what it needs, is imported only when that command is asked for.
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Command } from 'commander';
import type { ActingCluster, ActingDeps } from './cli/acting-cluster.ts';
import type { ClusterChoice, OpenCluster, ReaderDeps } from './cli/cluster-reader.ts';
import type { InstallDeps } from './cli/install.ts';
import type { PreviewDeps } from './cli/plan.ts';
import type { PreviewStages } from './cli/preview-application.ts';
import { type CommandDeps, runCommand } from './cli/run-command.ts';
import type { FolderDeps } from './cli/synthesize-folder.ts';
import type { ValidateObjects } from './cli/validate.ts';
import { type OperatorFlags, parseConfig, parseSynthServerConfig, readEnvironment, type SynthServerFlags } from './config.ts';

/** A command: its line in the help, and how it is added to a program. */
export interface LazyCommand {
  readonly name: string;
  readonly summary: string;
  register(program: Command, deps: CommandDeps): Promise<void>;
}

/** All commands in the order of the help. */
export const lazyCommands: readonly LazyCommand[] = [
  reader('get', 'list applications, or show one in words', async () => (await import('./cli/get.ts')).registerGet),
  reader('history', 'who changed what, when and with what result', async () => (await import('./cli/history.ts')).registerHistory),
  reader(
    'why',
    'where a live object comes from: construct, file and line, commit, author',
    async () => (await import('./cli/why.ts')).registerWhy,
  ),
  reader('events', 'events of an application, oldest first', async () => (await import('./cli/events.ts')).registerEvents),
  reader('wait', 'wait until a commit is applied and healthy', async () => (await import('./cli/wait.ts')).registerWait),
  actor(
    'suspend',
    'leave an application alone: no sync, no heal, no prune',
    async () => (await import('./cli/suspend.ts')).registerSuspend,
  ),
  actor('resume', 'go on with a suspended application', async () => (await import('./cli/suspend.ts')).registerResume),
  actor('pause', 'break-glass: no sync, no heal, no prune anywhere', async () => (await import('./cli/pause.ts')).registerPause),
  actor('unpause', 'go on after a pause', async () => (await import('./cli/pause.ts')).registerUnpause),
  {
    name: 'render',
    summary: 'print the objects of an app folder, as the operator would synthesize them',
    register: async (program, deps) => (await import('./cli/render.ts')).registerRender(program, folderDeps(deps)),
  },
  {
    name: 'validate',
    summary: 'find what the operator would refuse, against the schemas of a cluster',
    async register(program, deps) {
      const validateObjects: ValidateObjects = async (...request) =>
        (await import('./cli/validate-objects.ts')).objectValidator(defaultKubeconfigs())(...request);
      (await import('./cli/validate.ts')).registerValidate(program, { ...folderDeps(deps), validateObjects });
    },
  },
  previewer('plan', 'what the next sync of an application would do, and why', async () => (await import('./cli/plan.ts')).registerPlan),
  previewer('diff', 'compare a folder or an application with the live cluster', async () => (await import('./cli/diff.ts')).registerDiff),
  installer('install', 'install or upgrade Setpoint in a cluster', async () => (await import('./cli/install.ts')).registerInstall),
  installer(
    'uninstall',
    'remove Setpoint from a cluster; what it applied keeps running',
    async () => (await import('./cli/uninstall.ts')).registerUninstall,
  ),
  { name: 'operator', summary: 'run the operator in the foreground', register: async (program, deps) => registerOperator(program, deps) },
  {
    name: 'synth-server',
    summary: 'synthesize for operators, in a process without credentials',
    register: async (program, deps) => registerSynthServer(program, deps),
  },
  { name: 'dev', summary: 'a local control plane: up, down', register: async (program, deps) => registerDev(program, deps) },
];

function reader(name: string, summary: string, load: () => Promise<(program: Command, deps: ReaderDeps) => void>): LazyCommand {
  return {
    name,
    summary,
    async register(program, deps) {
      const openCluster: OpenCluster = async (...choice) =>
        (await import('./cli/open-cluster.ts')).clusterOpener(defaultKubeconfigs())(...choice);
      (await load())(program, { ...deps, openCluster, now: () => new Date() });
    },
  };
}

function actor(name: string, summary: string, load: () => Promise<(program: Command, deps: ActingDeps) => void>): LazyCommand {
  return {
    name,
    summary,
    async register(program, deps) {
      const openActingCluster: ActingDeps['openActingCluster'] = (choice) => openCallerCluster(choice, 'setpoint-cli');
      (await load())(program, { ...deps, openActingCluster, now: () => new Date() });
    },
  };
}

function previewer(name: string, summary: string, load: () => Promise<(program: Command, deps: PreviewDeps) => void>): LazyCommand {
  return {
    name,
    summary,
    async register(program, deps) {
      const openPreviewCluster: PreviewDeps['openPreviewCluster'] = async (choice) =>
        (await import('./cli/preview-cluster.ts')).openPreviewCluster(choice, defaultKubeconfigs(), deps.terminal.signal);
      (await load())(program, { ...folderDeps(deps), openPreviewCluster, loadStages });
    },
  };
}

/** Decisions that a preview shares with the operator, so that both come to the same plan. */
const loadStages: PreviewDeps['loadStages'] = async () => {
  const [{ sourceOf }, { judgeTrigger }, { claimedFields }, { findAdditions }, { judgeAdditions }, apply, { systemClock }] =
    await Promise.all([
      import('./reconcile/source-of.ts'),
      import('./observe/judge-trigger.ts'),
      import('./observe/claimed-fields.ts'),
      import('./observe/find-additions.ts'),
      import('./observe/judge-additions.ts'),
      loadApplyDecisions(),
      import('./system-clock.ts'),
    ]);
  return {
    ...{ sourceOf, judgeTrigger, claimedFields, ...apply, clock: systemClock() },
    unwantedFields: ({ ref, object }, managedFields, policy) =>
      judgeAdditions(findAdditions({ managedFields }), { ref, managedFields }, object, policy).unwanted.map(({ path }) => path),
  };
};

async function loadApplyDecisions(): Promise<Pick<PreviewStages, 'deferredKeys' | 'keepLive' | 'takeOverFields'>> {
  const [{ deferredKeys }, { keepLive }, { takeOverFields }] = await Promise.all([
    import('./apply/dry-run.ts'),
    import('./apply/keep-live.ts'),
    import('./apply/migrate-ownership.ts'),
  ]);
  return { deferredKeys, keepLive, takeOverFields };
}

function folderDeps(deps: CommandDeps): CommandDeps & FolderDeps {
  return { ...deps, cwd: process.cwd(), openSynthesizer: async () => (await import('./synth/open-synthesizer.ts')).openSynthesizer() };
}

function installer(name: string, summary: string, load: () => Promise<(program: Command, deps: InstallDeps) => void>): LazyCommand {
  return {
    name,
    summary,
    async register(program, deps) {
      const installManifests: InstallDeps['installManifests'] = async (options) =>
        (await import('../charts/install.ts')).installManifests(options);
      (await load())(program, { ...deps, installManifests, openInstallCluster });
    },
  };
}

/** A cluster as the caller may change it, under a field manager. */
async function openCallerCluster(choice: ClusterChoice, fieldManager: string): Promise<ActingCluster> {
  const [{ connectionFromKubeconfig }, { createRestClient }, { createDiscovery }, { createCallerObjects }] = await Promise.all([
    import('./cluster/connection.ts'),
    import('./cluster/rest-client.ts'),
    import('./cluster/discovery.ts'),
    import('./cluster/caller-objects.ts'),
  ]);
  const connection = await connectionFromKubeconfig(choice.kubeconfig ?? defaultKubeconfigs(), choice.context);
  const client = createRestClient({ connection, userAgent: 'setpoint-cli' });
  const objects = createCallerObjects(client, createDiscovery(client), fieldManager);
  return { ...objects, namespace: connection.namespace ?? 'default', close: () => client.close() };
}

const openInstallCluster: InstallDeps['openInstallCluster'] = (choice) => openCallerCluster(choice, 'setpoint-install');

/** Where kubectl would look. */
function defaultKubeconfigs(): readonly string[] {
  const paths = (readEnvironment()['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  return paths.length > 0 ? paths : [join(homedir(), '.kube', 'config')];
}

function registerOperator(program: Command, deps: CommandDeps): void {
  program
    .command('operator')
    .description('run the operator in the foreground; every flag may be given as a variable too: --api-address as SETPOINT_API_ADDRESS')
    .option('--kubeconfig <file>', 'kubeconfig to use (default: the credentials of the Pod)')
    .option('--context <name>', 'context of the kubeconfig to use')
    .option('--api-address <host:port>', 'where health and webhooks are served (default: :8080)')
    .option('--metrics-address <host:port>', 'where metrics are served (default: :8081)')
    .option('--data-dir <folder>', 'folder for the prepared libraries (default: the cache folder of the user)')
    .option('--namespaces <names>', 'serve Applications of these namespaces only, separated by commas (default: all)')
    .option('--system-namespace <name>', 'namespace of Setpoint itself, where it is paused (default: that of the Pod, or setpoint-system)')
    .option('--log-level <level>', 'trace, debug, info, warn, error or silent (default: info)')
    .option('--synth-address <host:port>', 'address of the synth server (default: child processes)')
    .option('--synth-key-file <file>', 'key that operator and synth server share')
    .option('--webhook-secret-file <file>', 'key that signs webhook calls (default: webhook calls are refused)')
    .option('--allow-loopback-git', 'follow repositories on loopback addresses too; for demos and tests')
    .option('--leader-elect', 'act only while holding a Lease, so that several operators can run (default: act at once)')
    .option('--leader-elect-lease-duration <duration>', 'a Lease not renewed for so long may be taken by another (default: 15s)')
    .option('--leader-elect-renew-deadline <duration>', 'who could not renew for so long stops acting and ends (default: 10s)')
    .option('--leader-elect-retry-period <duration>', 'time between renewals, and between tries (default: 2s)')
    .option('--leader-elect-resource-name <name>', 'name of the Lease (default: setpoint-operator)')
    .option('--leader-elect-resource-namespace <name>', 'namespace of the Lease (default: that of the Pod, else setpoint-system)')
    .option('--advertise-address <ip>', 'IP address by which other replicas reach this one (default: the host of --api-address)')
    .action((flags: OperatorFlags) =>
      runCommand(deps, async () => {
        const environment = readEnvironment();
        const config = parseConfig(flags, environment);
        const { runOperator } = await import('./operator.ts');
        return runOperator(config, environment, deps.terminal.signal);
      }),
    );
}

function registerSynthServer(program: Command, deps: CommandDeps): void {
  program
    .command('synth-server')
    .description('synthesize for operators that know the key, in a process that holds no credentials')
    .requiredOption('--address <host:port>', 'where to listen')
    .requiredOption('--key-file <file>', 'key that operators and this server share')
    .option('--data-dir <folder>', 'folder for the prepared libraries (default: the cache folder of the user)')
    .action((flags: SynthServerFlags) =>
      runCommand(deps, async () => {
        const { address, keyFile, dataDir } = parseSynthServerConfig(flags);
        const { startSynthServer } = await import('./synth/synth-server.ts');
        const { readKey } = await import('./synth/pre-shared-key.ts');
        readKey(keyFile);
        const { synthConcurrency } = await import('./reconcile/synth-lanes.ts');
        const server = await startSynthServer({
          address,
          keyFile,
          concurrency: synthConcurrency,
          ...(dataDir === undefined ? {} : { cacheFolder: dataDir }),
        });
        deps.terminal.err(`listening on ${address.host}:${server.port}, confined by ${JSON.stringify(server.confinement)}\n`);
        await untilAborted(deps.terminal.signal);
        await server.close();
        return 0;
      }),
    );
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function registerDev(program: Command, deps: CommandDeps): void {
  const dev = program.command('dev').description('a local control plane of real parts, in the background');
  const report = (line: string): void => deps.terminal.err(`${line}\n`);
  dev
    .command('up')
    .description('start it, or find it running; prints KUBECONFIG=…')
    .requiredOption('--dir <folder>', 'where its files are')
    .action(({ dir }: { dir: string }) =>
      runCommand(deps, async () => {
        const { devUp } = await import('../dev/control-plane/dev.ts');
        const { kubeconfigPath, kubectlPath } = await devUp({ directory: dir, report, signal: deps.terminal.signal });
        deps.terminal.out(`KUBECONFIG=${kubeconfigPath}\n`);
        if (kubectlPath !== undefined) report(`kubectl is at ${kubectlPath}`);
        return 0;
      }),
    );
  dev
    .command('down')
    .description('stop it; its files stay')
    .requiredOption('--dir <folder>', 'where its files are')
    .action(({ dir }: { dir: string }) =>
      runCommand(deps, async () => {
        const { devDown } = await import('../dev/control-plane/dev.ts');
        report(`ended ${await devDown({ directory: dir, report })} processes`);
        return 0;
      }),
    );
}
