#!/usr/bin/env node
// WHY: this file is read by the Node that is there, however old: nothing in it is newer than Node 12, and nothing is
// imported before the version was looked at.
var needed = [24, 7]
var found = process.versions.node.split('.').map(Number)

if (found[0] < needed[0] || (found[0] === needed[0] && found[1] < needed[1])) {
  var code = 'cli.node-too-old'
  var message = 'castellan needs Node ' + needed.join('.') + ' or newer; this is ' + process.versions.node
  var hint = 'install Node 24 from https://nodejs.org, or use `npm start` in a checkout, which brings its own'
  process.stderr.write(
    process.argv.indexOf('--json') === -1
      ? 'error[' + code + ']: ' + message + '\n  hint: ' + hint + '\n'
      : JSON.stringify({ error: { code: code, message: message, hint: hint } }) + '\n',
  )
  process.exit(1)
}

// WHY: releases before 24.15 announce node:sqlite as experimental on every start; other warnings stay visible.
var emitWarning = process.emitWarning
process.emitWarning = function (warning, options) {
  var type = typeof options === 'string' ? options : options && options.type
  if (type !== 'ExperimentalWarning') emitWarning.apply(process, arguments)
}

// WHY: a call passes through many small functions, and what was compiled for them is lost when memory is tidied up while
// nobody calls. See docs/decisions/0022-the-compiler-is-told-what-this-is.md.
var v8 = process.getBuiltinModule('node:v8')
v8.setFlagsFromString('--max-inlined-bytecode-size=1500')
v8.setFlagsFromString('--max-inlined-bytecode-size-cumulative=4000')
v8.setFlagsFromString('--gc-memory-reducer-start-delay-ms=2147483647')

var source = new URL('../src/main.ts', import.meta.url)
var isCheckout = process.getBuiltinModule('node:fs').existsSync(source)
void import(isCheckout ? source.href : new URL('../src/main.js', import.meta.url).href)
