/**
 * Do the task, and the state of an unfinished call, belong to this person at this server? Learns the task, and the message
 * as its server understands it.
 * Stops: another person's task, state and invented ids, in whatever method names one.
 * Trusts: the sealer: see `task-ids.ts` and `states.ts`.
 * Fails: with the protocol's own answer to a task, or a state, that does not exist.
 * @see MCP 2025-11-25, tasks; the extension `io.modelcontextprotocol/tasks` of 2026-07-28
 */
import { isRefusal, refuse, type Refusal } from '#kernel'
import {
  applyEdits,
  type Edit,
  errorCodes,
  type Era,
  hasLookAlike,
  isObject,
  knownNames,
  type Message,
  metaKeys,
  spanOf,
  withText,
} from '#protocol'
import type { Arrival } from '../arrival.ts'
import type { Guard } from '../checklist.ts'
import type { Authenticated } from './authenticate-caller.ts'
import type { Inbound } from './read-message.ts'
import { gatewayRefusals, messageRefusal, onTheWire } from '../refusals.ts'
import type { Seals } from '../handles/seals.ts'
import { withoutOwnAnswer } from '../remedies/own-answer.ts'
import { stateEdit } from '../handles/states.ts'
import type { Holder, Task, TaskIds } from '../handles/task-ids.ts'

export interface Tasked {
  readonly tasks: {
    /** Whether the message is about tasks: about one, if it is bound, else about all of the person's. */
    readonly isAsked: boolean
    readonly bound: Task | undefined
    /** The tasks that the person asks to be told of. */
    readonly followed: readonly Task[]
    /** The message with the ids that the server knows; undefined when nothing differs. */
    readonly sent: { readonly message: Message; readonly body: Buffer } | undefined
  }
}

/** The methods about tasks, and the era of those that only one of the two designs has. */
const methods: ReadonlyMap<string, Era | 'both'> = new Map<string, Era | 'both'>([
  ['tasks/get', 'both'],
  ['tasks/cancel', 'both'],
  ['tasks/result', 'legacy'],
  ['tasks/list', 'legacy'],
  ['tasks/update', 'modern'],
  // WHY: a client that was asked for something may answer with a task of its own, and tell how it fares.
  ['notifications/tasks/status', 'legacy'],
])
const aboutAll = new Set(['tasks/list', 'notifications/tasks/status'])

const none: Tasked = { tasks: { isAsked: false, bound: undefined, followed: [], sent: undefined } }

function unknownTask(): Refusal {
  return onTheWire(refuse(gatewayRefusals.taskUnknown), { status: 200, code: errorCodes.invalidParams })
}

function sentWith(message: Message, edits: readonly (Edit | undefined)[]): Tasked['tasks']['sent'] {
  const made = edits.filter((edit) => edit !== undefined)
  const text = applyEdits(message.text, made)
  return { message: withText(message, text), body: Buffer.from(text) }
}

/** Gives the value at a place of the message the server's id of a task. */
function renaming(message: Message, path: readonly string[], task: Task): Edit | undefined {
  const span = spanOf(message.text, path)
  return span === undefined ? undefined : { span, text: JSON.stringify(task.upstreamId) }
}

const holders = ['params', 'result'] as const
const relatedNames = knownNames('taskId')

/** The task that a message says it belongs to. SPEC: 2025-11-25, related task metadata. */
function related(message: Message, open: (id: string) => Task | undefined): Edit | Refusal | undefined {
  for (const holder of holders) {
    const held = message.json[holder]
    const meta = isObject(held) && isObject(held['_meta']) ? held['_meta'][metaKeys.relatedTask] : undefined
    if (meta === undefined) continue
    // WHY: a server that reads more than the revision has would find a task that nobody opened for the caller.
    if (!isObject(meta) || typeof meta['taskId'] !== 'string' || hasLookAlike(meta, relatedNames)) return unknownTask()
    const task = open(meta['taskId'])
    if (task !== undefined) return renaming(message, [holder, '_meta', metaKeys.relatedTask, 'taskId'], task)
    // WHY: what answers a request of the server may belong to a task of the client's own.
    return message.kind === 'request' ? unknownTask() : undefined
  }
  return undefined
}

function bindOne(message: Message, open: (id: string) => Task | undefined): Tasked | Refusal {
  const id = message.params?.['taskId']
  if (typeof id !== 'string') {
    return messageRefusal('the params lack the task', { status: 200, code: errorCodes.invalidParams })
  }
  const bound = open(id)
  if (bound === undefined) return unknownTask()
  const meta = related(message, open)
  if (isRefusal(meta ?? {})) return meta as Refusal
  const edits = [renaming(message, ['params', 'taskId'], bound), meta as Edit | undefined]
  return { tasks: { isAsked: true, bound, followed: [], sent: sentWith(message, edits) } }
}

/** SPEC: the extension: a subscription names the tasks that it wants to hear of. */
function bindFollowed(message: Message, open: (id: string) => Task | undefined): Tasked | Refusal {
  const filter = message.params?.['notifications']
  const ids: unknown = isObject(filter) ? filter['taskIds'] : undefined
  if (!Array.isArray(ids)) return none
  const followed = ids.map((id) => (typeof id === 'string' ? open(id) : undefined))
  if (!followed.every((task) => task !== undefined)) return unknownTask()
  const span = spanOf(message.text, ['params', 'notifications', 'taskIds'])
  const text = JSON.stringify(followed.map(({ upstreamId }) => upstreamId))
  const sent = sentWith(message, [span === undefined ? undefined : { span, text }])
  return { tasks: { isAsked: false, bound: undefined, followed, sent } }
}

function bind(known: Holder & Inbound, taskIds: TaskIds): Tasked | Refusal {
  const { message, era } = known
  if (message === undefined) return none
  const open = (id: string): Task | undefined => taskIds.open(known, id)
  const ofEra = methods.get(message.method ?? '')
  if (ofEra !== undefined && ofEra !== 'both' && ofEra !== era) return none
  if (ofEra !== undefined && !aboutAll.has(message.method ?? '')) return bindOne(message, open)
  if (message.method === 'subscriptions/listen') return bindFollowed(message, open)
  const meta = related(message, open)
  if (meta === undefined) return ofEra === undefined ? none : { tasks: { ...none.tasks, isAsked: true } }
  if ('kind' in meta) return meta
  return { tasks: { ...none.tasks, isAsked: ofEra !== undefined, sent: sentWith(message, [meta]) } }
}

export function bindHandles(taskIds: TaskIds, seals: Seals): Guard<Arrival & Authenticated & Inbound, Tasked> {
  return {
    name: 'bind-handles',
    check(known) {
      const tasked = bind(known, taskIds)
      if (isRefusal(tasked)) return tasked
      const named = tasked.tasks.sent?.message ?? known.message
      if (named === undefined) return tasked
      const message = withoutOwnAnswer(named)
      const edit = stateEdit({ ...known, ...tasked }, message.text, seals)
      if (isRefusal(edit)) return edit
      if (edit === undefined && message === named) return tasked
      return { tasks: { ...tasked.tasks, sent: sentWith(message, [edit]) } }
    },
  }
}
