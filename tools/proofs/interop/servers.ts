/** Servers that others wrote, and one of 2026-07-28 alone: what each has to answer, whoever asks and by whatever way. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startUpstream } from '../../../test/conformance/upstreams.ts'
import { peerCommands } from '../../../test/world/servers/peers.ts'

/** One server behind the gateway and the questions that are put to it. */
export interface Subject {
  readonly name: string
  readonly place: string | readonly string[]
  /** A call of a tool, and a part of its answer. */
  readonly call: { readonly tool: string; readonly arguments: Record<string, string>; readonly answer: string }
  /** Part of the address of a resource and part of its text; undefined where there are none. */
  readonly resource?: { readonly uri: string; readonly answer: string }
  readonly prompt?: { readonly name: string; readonly answer: string }
  /** A tool that asks its caller, and part of what it makes of the answer. */
  readonly question?: { readonly tool: string; readonly answer: string }
  readonly progress?: { readonly tool: string; readonly arguments: Record<string, number>; readonly atLeast: number }
}

export interface Subjects {
  readonly subjects: readonly Subject[]
  end(): Promise<void>
}

/** @param folder of this run's own, for files */
export async function startSubjects(folder: string): Promise<Subjects> {
  const note = join(folder, 'note.txt')
  writeFileSync(note, 'kept in the castle')
  const modern = await startUpstream('modern-only')
  const subjects: readonly Subject[] = [
    {
      name: 'everything',
      place: peerCommands.everything,
      call: { tool: 'echo', arguments: { message: 'through the gate' }, answer: 'through the gate' },
      resource: { uri: 'demo://resource/static/document/architecture.md', answer: 'Architecture' },
      prompt: { name: 'simple-prompt', answer: 'simple prompt' },
      question: { tool: 'trigger-elicitation-request', answer: 'declined' },
      progress: { tool: 'trigger-long-running-operation', arguments: { duration: 1, steps: 4 }, atLeast: 3 },
    },
    {
      name: 'files',
      place: peerCommands.filesystem(folder),
      call: { tool: 'read_text_file', arguments: { path: note }, answer: 'kept in the castle' },
    },
    {
      name: 'memory',
      place: peerCommands.memory,
      call: { tool: 'read_graph', arguments: {}, answer: 'entities' },
    },
    {
      name: 'modern',
      place: modern.url,
      call: { tool: 'test_simple_text', arguments: {}, answer: 'simple text response' },
      resource: { uri: 'test://static-text', answer: 'static text' },
      prompt: { name: 'test_simple_prompt', answer: 'simple prompt for testing' },
      question: { tool: 'test_input_required_result_elicitation', answer: 'Ada' },
    },
  ]
  return { subjects, end: () => modern.end() }
}
