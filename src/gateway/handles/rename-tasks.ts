/**
 * What are the tasks in a server's message called by the person who gets it?
 * Stops: ids of other people's tasks in lists and news; an answer about another task than was asked for.
 * Trusts: nothing the server says, but that what answers a call with a task is that call's task.
 * Fails: a list without what is not known to be this person's; news of such a task is withheld.
 * @see MCP 2025-11-25, tasks; the extension `io.modelcontextprotocol/tasks` of 2026-07-28
 */
import { Fault, type Target } from '#kernel'
import {
  applyEdits,
  type Edit,
  elementSpans,
  isObject,
  type Message,
  metaKeys,
  readJson,
  spanOf,
  withText,
} from '#protocol'
import type { Inbound } from '../guards/read-message.ts'
import type { Verdict } from '../safe-result.ts'
import type { Tasked } from '../guards/bind-handles.ts'
import type { Holder, Task, TaskIds } from './task-ids.ts'

type Known = Holder & Inbound & Partial<Tasked> & { readonly target: { readonly name?: string } }

/** @param target what the request was about, of a response to another one than the exchange's own */
export type RenameTasks = (message: Message, verdict: Verdict, target?: Target) => Message | 'foreign'

const news = new Set(['notifications/tasks/status', 'notifications/tasks'])
const answeredWithOne = new Set(['tasks/get', 'tasks/cancel'])

function renaming(text: string, path: readonly string[], { id }: Task): Edit[] {
  const span = spanOf(text, path)
  return span === undefined ? [] : [{ span, text: JSON.stringify(id) }]
}

/** Where a result says which task was made, if it is one that does. */
function madeIn(result: Record<string, unknown>): { path: readonly string[]; upstreamId: string } | undefined {
  const { task, taskId, resultType } = result
  if (resultType === 'task' && typeof taskId === 'string') return { path: ['result', 'taskId'], upstreamId: taskId }
  if (!isObject(task) || typeof task['taskId'] !== 'string') return undefined
  return { path: ['result', 'task', 'taskId'], upstreamId: task['taskId'] }
}

/** The list with the tasks of this person alone, under the ids they know. */
function listEdits(text: string, find: (upstreamId: unknown) => Task | undefined): Edit[] {
  const list = spanOf(text, ['result', 'tasks'])
  if (list === undefined || text[list[0]] !== '[')
    throw new Fault('upstream.misbehaved', 'the list of tasks is missing')
  const kept = elementSpans(text, list).flatMap((span) => {
    const item = text.slice(...span)
    const json = readJson(item).value
    const task = isObject(json) ? find(json['taskId']) : undefined
    return task === undefined ? [] : [applyEdits(item, renaming(item, ['taskId'], task))]
  })
  return [{ span: list, text: `[${kept.join(',')}]` }]
}

/** SPEC: the extension: a subscription is acknowledged with the tasks that it follows. */
function acknowledgedEdits(text: string, find: (upstreamId: unknown) => Task | undefined): Edit[] {
  const list = spanOf(text, ['params', 'notifications', 'taskIds'])
  if (list === undefined || text[list[0]] !== '[') return []
  const ids = elementSpans(text, list).flatMap((span) => find(readJson(text.slice(...span)).value)?.id ?? [])
  return [{ span: list, text: JSON.stringify(ids) }]
}

function edited(message: Message, edits: readonly Edit[]): Message {
  return edits.length === 0 ? message : withText(message, applyEdits(message.text, edits))
}

/** Makes the function that renames the tasks in each message of one exchange's answer. */
export function createRenameTasks(known: Known, taskIds: TaskIds): RenameTasks {
  const method = known.message?.method
  const bound = known.tasks?.bound
  const isMaking = method === 'tools/call' && Object.hasOwn(known.message?.params ?? {}, 'task')

  function find(upstreamId: unknown): Task | undefined {
    if (typeof upstreamId !== 'string') return undefined
    return bound?.upstreamId === upstreamId ? bound : taskIds.find(known, upstreamId)
  }

  function relatedEdits(message: Message, holder: 'params' | 'result'): Edit[] {
    const held = message.json[holder]
    const meta = isObject(held) && isObject(held['_meta']) ? held['_meta'][metaKeys.relatedTask] : undefined
    const upstreamId = isObject(meta) ? meta['taskId'] : undefined
    if (typeof upstreamId !== 'string') return []
    // WHY: a server may speak of the task that a call makes before it answers the call.
    const made = isMaking ? taskIds.give(known, upstreamId, known.target.name ?? '') : undefined
    const task = find(upstreamId) ?? made
    return task === undefined ? [] : renaming(message.text, [holder, '_meta', metaKeys.relatedTask, 'taskId'], task)
  }

  function resultEdits(
    message: Message,
    result: Record<string, unknown>,
    tool: string | undefined,
  ): Edit[] | 'foreign' {
    if (method === 'tasks/list') return listEdits(message.text, find)
    if (method !== undefined && answeredWithOne.has(method) && result['taskId'] !== undefined) {
      if (bound === undefined || result['taskId'] !== bound.upstreamId) return 'foreign'
      return renaming(message.text, ['result', 'taskId'], bound)
    }
    if (method !== 'tools/call' && tool === undefined) return []
    const made = madeIn(result)
    if (made === undefined) return []
    return renaming(message.text, made.path, taskIds.give(known, made.upstreamId, tool ?? known.target.name ?? ''))
  }

  function renameResult(message: Message, verdict: Verdict, tool: string | undefined): Message | 'foreign' {
    const { result } = message.json
    if (!isObject(result)) return message
    const edits = resultEdits(message, result, tool)
    if (edits === 'foreign') return 'foreign'
    const made = method === 'tools/call' || tool !== undefined ? madeIn(result) : undefined
    if (made !== undefined) verdict.detail['task'] = find(made.upstreamId)?.id
    return edited(message, [...edits, ...relatedEdits(message, 'result')])
  }

  return (message, verdict, target) => {
    const tool = target?.kind === 'tool' ? target.name : undefined
    if (message.kind === 'response') return renameResult(message, verdict, tool)
    if (message.method === 'notifications/subscriptions/acknowledged') {
      return edited(message, acknowledgedEdits(message.text, find))
    }
    if (!news.has(message.method ?? '')) return edited(message, relatedEdits(message, 'params'))
    const task = find(message.params?.['taskId'])
    if (task === undefined) return 'foreign'
    const edits = renaming(message.text, ['params', 'taskId'], task)
    return edited(message, [...edits, ...relatedEdits(message, 'params')])
  }
}
