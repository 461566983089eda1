// The control plane from the command line of a checkout: `node dev/control-plane/cli.ts up DIR`. Users type `setpoint dev up --dir DIR`.
import { argv, exitCode, stderr, stdout } from 'node:process';
import { devDown, devUp } from './dev.ts';

const [command, directory] = argv.slice(2);
const report = (line: string): void => void stderr.write(`${line}\n`);
if (command === 'up' && directory) {
  const { kubeconfigPath, kubectlPath } = await devUp({ directory, report });
  stdout.write(`KUBECONFIG=${kubeconfigPath}\n`);
  if (kubectlPath) report(`kubectl: ${kubectlPath}`);
} else if (command === 'down' && directory) {
  report(`ended ${await devDown({ directory, report })} processes`);
} else {
  report('usage: node dev/control-plane/cli.ts up DIR | down DIR');
  process.exitCode = exitCode ?? 2;
}
