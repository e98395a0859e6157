#!/usr/bin/env node
import { existsSync } from 'node:fs'

var needed = [24, 7]
var found = process.versions.node.split('.').map(Number)

if (found[0] < needed[0] || (found[0] === needed[0] && found[1] < needed[1])) {
  process.stderr.write(
    'error[cli.node-too-old]: castellan needs Node ' +
      needed.join('.') +
      ' or newer; this is ' +
      process.versions.node +
      '\n' +
      '  hint: install Node 24 from https://nodejs.org, or use `npm start` in a checkout, which brings its own\n',
  )
  process.exit(1)
}

// WHY: releases before 24.15 announce node:sqlite as experimental on every start; other warnings stay visible.
var emitWarning = process.emitWarning
process.emitWarning = function (warning, options) {
  var type = typeof options === 'string' ? options : options && options.type
  if (type !== 'ExperimentalWarning') emitWarning.apply(process, arguments)
}

var source = new URL('../src/main.ts', import.meta.url)
await import(existsSync(source) ? source.href : new URL('../src/main.js', import.meta.url).href)
