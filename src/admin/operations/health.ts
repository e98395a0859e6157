import { isRefusal } from '#kernel'
import type { Database } from '#platform/database'
import type { Health } from '#platform/telemetry'
import type { Rooms } from '../rooms.ts'
import { admitCaller } from '../access.ts'

/** What a supervisor or load balancer asks. */
export const healthPaths = ['/livez', '/readyz', '/startupz'] as const
export type HealthPath = (typeof healthPaths)[number]

/**
 * Whether a request is a health check, which may name the machine by the address it was reached at: those who ask know
 * nothing else, and the answer says nothing but yes or no. All else is checked as for every other path.
 */
export function isHealthCheck(method: string | undefined, path: string): path is HealthPath {
  return (method === 'GET' || method === 'HEAD') && (healthPaths as readonly string[]).includes(path)
}

const databaseFreshMs = 1_000

/** @returns a check that asks the database at most once a second, however often it is asked itself */
function reaches(database: Pick<Database, 'query'>): () => Promise<boolean> {
  let answer: Promise<boolean> | undefined
  return () => {
    if (answer !== undefined) return answer
    const asked = database.query.selectFrom('people').select('id').limit(1).execute()
    answer = asked.then(
      () => true,
      () => false,
    )
    void answer.finally(() => {
      setTimeout(() => {
        answer = undefined
      }, databaseFreshMs).unref()
    })
    return answer
  }
}

/** What must hold to be ready: the ledger can be written, the database reached and the rules in force read. */
export function checkRooms(health: Health, rooms: Pick<Rooms, 'database' | 'ledger' | 'policy'>): void {
  health.addCheck('ledger', () => rooms.ledger.state().isWritable)
  health.addCheck('database', reaches(rooms.database))
  health.addCheck('policy', async () => {
    await rooms.policy.refresh()
    return true
  })
}

interface HealthRequest {
  readonly path: HealthPath
  readonly isVerbose: boolean
  readonly authorization: string | undefined
  readonly address: string
}

interface Verdict {
  readonly holds: boolean
  readonly status: string
  readonly checks: Readonly<Record<string, boolean>>
}

async function judge({ health }: Rooms['telemetry'], path: HealthPath): Promise<Verdict> {
  if (path === '/livez') return { holds: true, status: 'live', checks: {} }
  const phase = health.phase()
  if (path === '/startupz') {
    const holds = phase !== 'starting'
    return { holds, status: holds ? 'started' : 'starting', checks: {} }
  }
  const { isReady, checks } = await health.ready()
  return { holds: isReady, status: isReady ? 'ready' : phase === 'draining' ? 'draining' : 'not-ready', checks }
}

async function isSignedIn(rooms: Rooms, { authorization, address }: HealthRequest): Promise<boolean> {
  if (authorization === undefined) return false
  const { principal, refusal } = await admitCaller(rooms, 'signed-in', { authorization, address })
  return principal !== undefined && !isRefusal(refusal)
}

/** 200 or 503, with `ok` or `no` to anybody; with `?verbose`, what was checked to a person who is signed in. */
export async function answerHealth(rooms: Rooms, request: HealthRequest): Promise<Response> {
  const { holds, status, checks } = await judge(rooms.telemetry, request.path)
  const code = holds ? 200 : 503
  if (request.isVerbose && (await isSignedIn(rooms, request).catch(() => false)))
    return Response.json({ status, checks, version: rooms.version }, { status: code })
  return new Response(holds ? 'ok\n' : 'no\n', { status: code, headers: { 'content-type': 'text/plain' } })
}
