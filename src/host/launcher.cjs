#!/usr/bin/env node
// What `stele` starts. Any Node can parse this file: it says so when Node is too old, before the rest, which only a
// newer Node can parse, is loaded.
'use strict';

var oldest = 24;

if (parseInt(process.versions.node, 10) < oldest) {
  process.stderr.write(`stele: Node ${oldest} or newer is needed; this is Node ${process.versions.node}\n`);
  process.exit(1);
}
// V8's compiled code of earlier runs. A directory of the user's own: one in /tmp would belong to whoever came first.
var home = process.env.XDG_CACHE_HOME || (process.env.HOME && `${process.env.HOME}/.cache`);
require('node:module').enableCompileCache(home ? `${home}/stele` : undefined);
require('./main.js');
