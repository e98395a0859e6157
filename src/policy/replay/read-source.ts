/**
 * Which policy is to be tried?
 * Stops: a replay of something that could not be published.
 * Trusts: the compiler.
 * Fails: refused with the first problem, its file and line.
 */
import { refuse, type Refusal } from '#kernel'
import { compileAside } from '../cedar/aside/compile-aside.ts'
import type { CompiledPolicy, PolicyProblem } from '../cedar/source.ts'
import { type AskedFolder, contentsOf, refuseFolder } from '../change/drafts.ts'
import { readDraft, writeContents } from '../change/draft-store.ts'
import { changeRefusals } from '../change/refusals.ts'
import type { PolicyContents } from '../snapshot/document.ts'
import { readCurrent } from '../snapshot/publish.ts'
import type { Rows } from '../snapshot/store.ts'
import { replayRefusals } from './refusals.ts'

/** A policy that is not in force. */
export type TriedPolicy = AskedFolder | { readonly draft: string }

export interface ReadPolicy {
  readonly compiled: CompiledPolicy
  /** What it would be published as. */
  readonly version: number
  /** Of its contents, as in `Draft`. */
  readonly hash: string
}

function say({ says, file, line = 1, rule }: PolicyProblem): string {
  const place = file === undefined ? rule : `${file}:${line}`
  return place === undefined ? says : `${place}: ${says}`
}

/** What a folder, on top of what is in force, or a draft comes to. */
export async function readSource(rows: Rows, tried: TriedPolicy): Promise<ReadPolicy | Refusal> {
  const { document, snapshot } = await readCurrent(rows)
  const version = snapshot.version + 1
  const compile = async (contents: PolicyContents): Promise<ReadPolicy | Refusal> => {
    const compilation = await compileAside(contents, version)
    if (compilation.isValid) return { compiled: compilation.policy, version, hash: writeContents(contents).hash }
    const [problem = { says: 'unknown' }] = compilation.problems
    return refuse(replayRefusals.notValid, { names: { problem: say(problem) } })
  }
  if ('draft' in tried) {
    const draft = await readDraft(rows, tried.draft)
    return draft === undefined
      ? refuse(changeRefusals.draftUnknown, { names: { draft: tried.draft } })
      : compile(draft.contents)
  }
  const read = contentsOf(tried, document)
  return read.problems === undefined ? compile(read.contents) : refuseFolder(read.problems[0])
}
