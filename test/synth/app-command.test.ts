// Which file the app command of cdk8s.yaml would run.
import { expect, test } from '@jest/globals';
import { parseAppCommand } from '../../operator/synth/child/app-command.ts';

const scripts: Readonly<Record<string, string>> = {
  synth: 'ts-node src/main.ts',
  start: 'npm run synth -- --flag',
  build: 'tsc',
  'build-and-run': 'npm run build && node lib/main.js',
  circle: 'npm run circle',
};

function check(command: string): string {
  const result = parseAppCommand(command, (name) => scripts[name]);
  if ('problem' in result) return result.problem;
  const environment = Object.entries(result.environment).map(([name, value]) => `${name}=${value} `);
  const tsconfig = result.tsconfig === undefined ? '' : ` [${result.tsconfig}]`;
  return `${environment.join('')}${[result.script, ...result.parameters].join(' ')}${tsconfig}`;
}

test.each([
  ['npx ts-node main.ts', 'main.ts'],
  ['ts-node main.ts', 'main.ts'],
  ['npx -y ts-node main.ts', 'main.ts'],
  ['npx --yes -p typescript -p ts-node ts-node main.ts', 'main.ts'],
  ['tsx main.ts', 'main.ts'],
  ['npx tsx --tsconfig tsconfig.app.json src/main.ts', 'src/main.ts [tsconfig.app.json]'],
  ['node main.js', 'main.js'],
  ['node main.ts', 'main.ts'],
  ['node -r ts-node/register main.ts', 'main.ts'],
  ['node --import tsx --no-warnings main.ts', 'main.ts'],
  ['node --max-old-space-size=4096 main.js', 'main.js'],
  ['bun main.ts', 'main.ts'],
  ['bun run main.ts', 'main.ts'],
  ['bunx tsx main.ts', 'main.ts'],
  ['yarn -s ts-node main.ts', 'main.ts'],
  ['yarn run -s synth', 'src/main.ts'],
  ['yarn synth', 'src/main.ts'],
  ['pnpm exec ts-node main.ts', 'main.ts'],
  ['npm exec -- ts-node main.ts', 'main.ts'],
  ['npm run synth', 'src/main.ts'],
  ['npm run -s synth', 'src/main.ts'],
  ['npm run start', 'src/main.ts --flag'],
  ['npm run build-and-run', 'lib/main.js'],
  ['npm ci && npx ts-node main.ts', 'main.ts'],
  ['npx tsc; node dist/main.js', 'dist/main.js'],
  ['ts-node -P tsconfig.dev.json -T main.ts', 'main.ts [tsconfig.dev.json]'],
  ['ts-node --project=tsconfig.dev.json main.ts prod', 'main.ts prod [tsconfig.dev.json]'],
  [`STAGE='a b' ts-node "main file.ts" --name=x`, 'STAGE=a b main file.ts --name=x'],
  ['./node_modules/.bin/ts-node main.ts', 'main.ts'],
  ['npm run circle', 'its scripts call each other in a circle'],
  ['npm run nothing', 'it runs the script "nothing", which package.json does not have'],
  ['python main.py', 'it runs Python; only TypeScript and JavaScript apps are synthesized'],
  ['go run .', 'it runs Go; only TypeScript and JavaScript apps are synthesized'],
  ['make synth', 'it runs "make", which is not known'],
  ['node', 'it names no file to run'],
  [`ts-node 'main.ts`, 'its quotes do not match'],
  ['npm ci', 'it is empty'],
])('%s', (command, expected) => {
  expect(check(command)).toBe(expected);
});
