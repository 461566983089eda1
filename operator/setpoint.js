#!/usr/bin/env node
// The bin. Finds a Node that can run Setpoint and hands over to main.ts; nothing else. Old JavaScript, so that any Node since 4 can parse and run it.
(function () {
  var wanted = 24;
  var signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  // Most of what the operator holds stays for long: a small young generation saves it 40 MB.
  var flags = process.argv[2] === 'operator' ? ['--max-semi-space-size=8'] : [];

  // Old Nodes load this file as CommonJS, later ones as an ES module without `require`; only new ones can ask the process for a built-in.
  function withBuiltins(names, use) {
    if (process.getBuiltinModule) use(names.map(process.getBuiltinModule));
    else if (typeof require === 'function') use(names.map(requireOne));
    else Promise.all(names.map(importOne)).then(use, askForNode);
  }

  function requireOne(name) {
    return require(name);
  }

  // A parser that does not know import() never sees it.
  function importOne(location) {
    return new Function('location', 'return import(location)')(location);
  }

  function askForNode() {
    var need = 'setpoint needs Node ' + wanted + ' or newer and this is ' + process.version;
    process.stderr.write(need + ': run "npm ci" in the project, which brings it, or install it from https://nodejs.org\n');
    process.exitCode = 2;
  }

  // npm starts bins through a symbolic link, so the link is followed.
  function folderOfThisFile(fs, path) {
    return path.dirname(fs.realpathSync(process.argv[1]));
  }

  function runHere(builtins) {
    var path = builtins[1];
    var lacksFlags = flags.length > 0 && process.execArgv.indexOf(flags[0]) < 0;
    if (lacksFlags && process.execve && process.platform !== 'win32') {
      process.execve(process.execPath, [process.execPath].concat(process.execArgv, flags, process.argv.slice(1)), process.env);
    }
    // Compiled code is kept between runs: `setpoint --help` takes half the time.
    builtins[3].enableCompileCache();
    var location = builtins[2].pathToFileURL(path.join(folderOfThisFile(builtins[0], path), 'main.ts'));
    importOne(String(location)).then(runMain);
  }

  function runMain(main) {
    return main.run(process.argv);
  }

  function runInBundledNode(builtins) {
    var path = builtins[1];
    var folder = folderOfThisFile(builtins[0], path);
    var node = path.join(folder, '..', 'node_modules', 'node', 'bin', 'node');
    if (!builtins[0].existsSync(node)) return askForNode();
    var child = builtins[2].spawn(node, flags.concat(path.join(folder, 'setpoint.js'), process.argv.slice(2)), { stdio: 'inherit' });
    signals.forEach(function (signal) {
      process.on(signal, function () {
        child.kill(signal);
      });
    });
    child.on('error', askForNode);
    child.on('exit', function (code, signal) {
      process.exitCode = signal ? 1 : code;
    });
  }

  if (parseInt(process.versions.node, 10) >= wanted) withBuiltins(['fs', 'path', 'url', 'module'], runHere);
  else withBuiltins(['fs', 'path', 'child_process'], runInBundledNode);
})();
