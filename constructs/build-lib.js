// Builds lib/: this package as CommonJS with declarations, for apps run by ts-node or Node's require. ES modules import index.ts itself.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = path.dirname(fileURLToPath(import.meta.url));
/** lib/, or the folder given on the command line. */
const output = path.resolve(process.argv[2] ?? path.join(folder, 'lib'));

/** TypeScript is a development dependency: an installation without it runs no ts-node either. */
async function loadTypeScript() {
  try {
    return (await import('typescript')).default;
  } catch {
    return undefined;
  }
}

function build(ts) {
  const program = ts.createProgram([path.join(folder, 'index.ts')], {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.CommonJS,
    moduleResolution: ts.ModuleResolutionKind.Node10,
    rewriteRelativeImportExtensions: true,
    declaration: true,
    strict: true,
    skipLibCheck: true,
    types: ['node'],
    typeRoots: [path.join(folder, '..', 'node_modules', '@types')],
    rootDir: folder,
    outDir: output,
  });
  rmSync(output, { recursive: true, force: true });
  const { diagnostics } = program.emit();
  const problems = [...ts.getPreEmitDiagnostics(program), ...diagnostics];
  if (problems.length > 0) {
    process.stderr.write(
      ts.formatDiagnostics(problems, { getCanonicalFileName: (name) => name, getCurrentDirectory: () => folder, getNewLine: () => '\n' }),
    );
    process.exitCode = 1;
    return;
  }
  mkdirSync(output, { recursive: true });
  writeFileSync(path.join(output, 'package.json'), '{ "type": "commonjs" }\n');
}

const ts = await loadTypeScript();
if (ts === undefined) process.stdout.write('@setpoint/constructs: TypeScript is not installed, lib/ is not built\n');
else build(ts);
