/**
 * Whose task is this, and of which tool?
 * Stops: a task followed, read, fed or cancelled by anybody but the person it was made for.
 * Trusts: the sealer: an id is a sealed value that opens for one person and server only.
 * Fails: an id that does not open never was; what this process has not seen is not listed.
 * @see MCP 2025-11-25, tasks; docs/decisions/0028-the-oldest-wires-are-exchanges-like-any-other.md
 */
import type { Principal, Sealer } from '#kernel'

/** A person at a server. */
export interface Holder {
  readonly principal: Principal
  readonly serverName: string
}

export interface Task {
  /** As its server calls it. */
  readonly upstreamId: string
  /** As its person calls it. */
  readonly id: string
  /** The tool it came from. */
  readonly tool: string
}

export interface TaskIds {
  /** The task that this person knows under this id at this server. */
  open(holder: Holder, id: string): Task | undefined
  /** The task as this person gets to know it: the same id each time. */
  give(holder: Holder, upstreamId: string, tool: string): Task
  /** A task that was opened by this person, or given to them, before. */
  find(holder: Holder, upstreamId: string): Task | undefined
}

export const mostTasksPerHolder = 1_000
const mostHolders = 10_000

function readContent(bytes: Uint8Array): { upstreamId: string; tool: string } {
  const [upstreamId, tool] = JSON.parse(Buffer.from(bytes).toString('utf8')) as [string, string]
  return { upstreamId, tool }
}

export function createTaskIds(sealer: Sealer): TaskIds {
  const byHolder = new Map<string, Map<string, Task>>()
  const placeOf = ({ serverName, principal }: Holder): string => `mcp-task/${serverName}/${principal.id}`

  function remember(holder: Holder, task: Task): Task {
    const place = placeOf(holder)
    let tasks = byHolder.get(place)
    if (tasks === undefined) {
      if (byHolder.size >= mostHolders) byHolder.delete(byHolder.keys().next().value ?? '')
      tasks = new Map()
      byHolder.set(place, tasks)
    }
    // INVARIANT: a person who makes many tasks pushes out their own.
    if (tasks.size >= mostTasksPerHolder && !tasks.has(task.upstreamId)) tasks.delete(tasks.keys().next().value ?? '')
    tasks.set(task.upstreamId, task)
    return task
  }

  const find: TaskIds['find'] = (holder, upstreamId) => byHolder.get(placeOf(holder))?.get(upstreamId)

  return {
    find,
    open(holder, id) {
      const bytes = sealer.open(id, placeOf(holder))
      if (bytes === undefined) return undefined
      const { upstreamId, tool } = readContent(bytes)
      return find(holder, upstreamId)?.id === id ? find(holder, upstreamId) : remember(holder, { upstreamId, id, tool })
    },
    give(holder, upstreamId, tool) {
      const known = find(holder, upstreamId)
      // WHY: a server that uses an id again for another tool made another task.
      if (known !== undefined && known.tool === tool) return known
      const id = sealer.seal(Buffer.from(JSON.stringify([upstreamId, tool])), placeOf(holder))
      return remember(holder, { upstreamId, id, tool })
    },
  }
}
