/**
 * Proofs are checks too long or too large for the test run. `npm run proof` lists them, `npm run proof -- <name>` runs
 * one: it prints figures, its last line is one JSON object, and the exit code says whether the claim holds.
 */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Proof } from './proofs/contract.ts'

const folder = fileURLToPath(new URL('./proofs/', import.meta.url))
const notProofs = new Set(['contract'])

function proofNames(): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .filter((name) => !notProofs.has(name))
    .sort()
}

async function loadProof(name: string): Promise<Proof> {
  const module = (await import(`./proofs/${name}.ts`)) as { proof: Proof }
  return module.proof
}

async function list(): Promise<void> {
  for (const name of proofNames()) console.log(`${name.padEnd(16)} ${(await loadProof(name)).shows}`)
}

async function run(name: string, flags: readonly string[]): Promise<boolean> {
  if (!proofNames().includes(name)) {
    console.error(`there is no proof ${name}; npm run proof lists them`)
    return false
  }
  try {
    const proof = await loadProof(name)
    const { holds, ...figures } = await proof.run(flags)
    console.log(JSON.stringify({ proof: name, holds, ...figures }))
    return holds
  } catch (error) {
    console.error(error)
    const says = error instanceof Error ? error.message.split('\n', 1)[0] : String(error)
    console.log(JSON.stringify({ proof: name, holds: false, error: says }))
    return false
  }
}

const [name, ...flags] = process.argv.slice(2)
if (name === undefined) await list()
else process.exit((await run(name, flags)) ? 0 : 1)
