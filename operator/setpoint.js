#!/usr/bin/env node
// The bin. Finds a Node that can run Setpoint and hands over to main.ts; nothing else. Written so that any Node since 4 can parse and run it.
(function () {
  'use strict';
  var wanted = 24;

  // Old Nodes load this file as CommonJS, later ones as an ES module without `require`; only new ones can ask the process for a built-in.
  function withBuiltins(names, use) {
    if (process.getBuiltinModule) {
      use(
        names.map(function (name) {
          return process.getBuiltinModule(name);
        }),
      );
    } else if (typeof require === 'function') {
      use(
        names.map(function (name) {
          return require(name);
        }),
      );
    } else {
      var load = new Function('name', 'return import(name)');
      Promise.all(
        names.map(function (name) {
          return load(name);
        }),
      ).then(use, askForNode);
    }
  }

  function askForNode() {
    process.stderr.write(
      'setpoint needs Node ' +
        wanted +
        ' or newer and this is ' +
        process.version +
        ': run "npm ci" in the project, which brings it, ' +
        'or install it from https://nodejs.org\n',
    );
    process.exitCode = 2;
  }

  // npm starts bins through a symbolic link, so the link is followed.
  function folderOfThisFile(fs, path) {
    return path.dirname(fs.realpathSync(process.argv[1]));
  }

  function runHere(builtins) {
    var location = builtins[2].pathToFileURL(builtins[1].join(folderOfThisFile(builtins[0], builtins[1]), 'main.ts'));
    new Function('location', 'return import(location)')(String(location)).then(function (main) {
      return main.run(process.argv);
    });
  }

  function runInBundledNode(builtins) {
    var folder = folderOfThisFile(builtins[0], builtins[1]);
    var node = builtins[1].join(folder, '..', 'node_modules', 'node', 'bin', 'node');
    if (!builtins[0].existsSync(node)) return askForNode();
    var child = builtins[2].spawn(node, [builtins[1].join(folder, 'setpoint.js')].concat(process.argv.slice(2)), { stdio: 'inherit' });
    ['SIGINT', 'SIGTERM', 'SIGHUP'].forEach(function (signal) {
      process.on(signal, function () {
        child.kill(signal);
      });
    });
    child.on('error', askForNode);
    child.on('exit', function (code, signal) {
      process.exitCode = signal ? 1 : code;
    });
  }

  if (parseInt(process.versions.node, 10) >= wanted) withBuiltins(['fs', 'path', 'url'], runHere);
  else withBuiltins(['fs', 'path', 'child_process'], runInBundledNode);
})();
