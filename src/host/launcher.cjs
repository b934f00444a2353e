#!/usr/bin/env node
// What `stele` starts. Any Node can parse this file: it says so when Node is too old, before the rest, which only a
// newer Node can parse, is loaded.
'use strict';

var oldest = 24;

if (parseInt(process.versions.node, 10) < oldest) {
  process.stderr.write(`stele: Node ${oldest} or newer is needed; this is Node ${process.versions.node}\n`);
  process.exit(1);
}

var fs = require('node:fs');
var vm = require('node:vm');

// V8's compiled code of an earlier run lies beside the program. Node's own compile cache holds only what was compiled
// when a module was loaded; this one also holds the functions that the run called, which saves a third of a short
// run's time. The build makes it; a run on another V8 makes one for that, but not one with options for V8, on which it
// would depend.
var program = `${__dirname}/main.js`;
var cache = `${__dirname}/main.${process.versions.v8}.cache`;

function readCache() {
  try {
    return fs.readFileSync(cache);
  } catch {
    return undefined;
  }
}

// Under a name of its own first, so that no other run can see half of it.
function writeCache(script) {
  var part = `${cache}.${process.pid}`;
  try {
    fs.writeFileSync(part, script.createCachedData());
    fs.renameSync(part, cache);
  } catch {
    // An installation that belongs to somebody else starts more slowly.
  }
}

// The build made a function of the program, with what Node gives modules as parameters.
var source = fs.readFileSync(program, 'latin1');
var compiled = readCache();
var script = new vm.Script(source, { filename: program, cachedData: compiled });
var hasOptions = process.execArgv.length > 0 || process.env.NODE_OPTIONS;
if ((compiled === undefined || script.cachedDataRejected) && !hasOptions) {
  process.on('exit', (status) => {
    if (status === 0 && process.argv[2] === 'run') writeCache(script);
  });
}
script.runInThisContext()(exports, require, module, program, __dirname);
