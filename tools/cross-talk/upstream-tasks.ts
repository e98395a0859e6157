/** The tasks of the server of the proof of cross-talk: their ids are small numbers that come round again, counted for each who can be told apart. */

/** Says something that belongs to no request. */
export type Tell = (message: { readonly jsonrpc: '2.0'; readonly method: string; readonly params: object }) => void

interface Task {
  readonly id: string
  readonly mark: string
  status: 'working' | 'completed' | 'cancelled'
}

/** Somebody who asked to be told of some tasks. */
interface Follower {
  readonly holder: string
  readonly ids: ReadonlySet<string>
  readonly tell: Tell
}

const ids = 20
const ttl = 60_000
const interval = 1
const date = '2026-01-01T00:00:00Z'
const meta = 'io.modelcontextprotocol/'

const textOf = (text: string) => ({ content: [{ type: 'text', text }] })

export class Tasks {
  readonly #isModern: boolean
  readonly #byHolder = new Map<string, Map<string, Task>>()
  readonly #counts = new Map<string, number>()
  readonly #followers = new Set<Follower>()

  constructor(isModern: boolean) {
    this.#isModern = isModern
  }

  /** Of a call that is to be answered later. */
  make(holder: string, mark: string): object {
    const count = (this.#counts.get(holder) ?? 0) + 1
    this.#counts.set(holder, count)
    const task: Task = { id: String(count % ids), mark, status: 'working' }
    const tasks = this.#byHolder.get(holder) ?? new Map<string, Task>()
    this.#byHolder.set(holder, tasks.set(task.id, task))
    return this.#isModern ? { resultType: 'task', ...this.#told(task) } : { task: this.#told(task) }
  }

  /** @returns the result of a method about tasks; undefined when there is no such task or method */
  answer(method: string, holder: string, id = ''): object | undefined {
    if (method === 'tasks/list') {
      const all = [...(this.#byHolder.get(holder)?.values() ?? [])]
      return this.#isModern ? undefined : { tasks: all.map((task) => this.#told(task)) }
    }
    const task = this.#byHolder.get(holder)?.get(id)
    if (task === undefined) return undefined
    switch (method) {
      case 'tasks/get':
        return this.#get(holder, task)
      case 'tasks/result':
        return this.#isModern ? undefined : this.#result(task)
      case 'tasks/cancel':
        task.status = 'cancelled'
        return this.#isModern ? {} : this.#told(task)
      default:
        return undefined
    }
  }

  /** Tells of these tasks until the returned function is called. */
  follow(follower: Follower): () => void {
    this.#followers.add(follower)
    return () => void this.#followers.delete(follower)
  }

  /** WHY: a task is done once somebody looks, so that whoever looks has had the time to listen. */
  #get(holder: string, task: Task): object {
    const answer = this.#inlined(task)
    if (task.status === 'working') {
      task.status = 'completed'
      this.#tellOf(holder, task)
    }
    return answer
  }

  #result(task: Task): object {
    return { ...textOf(task.mark), _meta: { [`${meta}related-task`]: { taskId: task.id } } }
  }

  #inlined(task: Task): object {
    const isDone = this.#isModern && task.status === 'completed'
    return isDone ? { ...this.#told(task), result: textOf(task.mark) } : this.#told(task)
  }

  #told({ id: taskId, status, mark }: Task): object {
    const times = this.#isModern ? { ttlMs: ttl, pollIntervalMs: interval } : { ttl, pollInterval: interval }
    return { taskId, status, statusMessage: mark, createdAt: date, lastUpdatedAt: date, ...times }
  }

  #tellOf(holder: string, task: Task): void {
    const method = this.#isModern ? 'notifications/tasks' : 'notifications/tasks/status'
    for (const follower of this.#followers) {
      if (follower.holder !== holder || !(follower.ids.has(task.id) || !this.#isModern)) continue
      follower.tell({ jsonrpc: '2.0', method, params: this.#inlined(task) })
    }
  }
}
