/**
 * The thread where large policies are compiled.
 * Stops: nothing by itself: it compiles what it is sent.
 * Trusts: its parent.
 * Fails: what cannot be compiled is answered with the problems, and what throws with its code.
 */
import { serialize } from 'node:v8'
import { parentPort } from 'node:worker_threads'
import { Fault } from '#kernel'
import { compilePolicy } from '../compile.ts'
import type { CompileAnswer, CompileRequest } from './compile-aside.ts'
import type { CompiledRule } from '../source.ts'

const rulesInPart = 100

function partsOf(rules: readonly CompiledRule[]): Uint8Array[] {
  const parts: Uint8Array[] = []
  for (let from = 0; from < rules.length; from += rulesInPart) {
    parts.push(serialize(rules.slice(from, from + rulesInPart)))
  }
  return parts
}

function compile({ id, source, version }: CompileRequest): CompileAnswer {
  try {
    const compilation = compilePolicy(source, version)
    if (!compilation.isValid) return { id, is: 'invalid', problems: compilation.problems }
    const { policy, warnings } = compilation
    return { id, is: 'compiled', parts: partsOf(policy.rules), cedar: policy.cedar, warnings }
  } catch (error) {
    const code = error instanceof Fault ? error.code : 'policy.unavailable'
    return { id, is: 'failed', code, says: error instanceof Error ? error.message : 'unknown' }
  }
}

parentPort?.on('message', (request: CompileRequest) => parentPort?.postMessage(compile(request)))
