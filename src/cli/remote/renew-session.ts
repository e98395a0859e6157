import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Misuse } from '#kernel'
import { CliFailure } from '../failure.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { type FormAnswer, clientId, postForm, textIn } from './authorization-server.ts'
import { tokensOf } from './device-sign-in.ts'
import type { Renewal, SavedSession, SessionStore } from './session-store.ts'

/** A token is renewed while it is still good, so that no request is sent with one that ends on its way. */
const beforeEndMs = 30_000
const longestWaitMs = 30_000
const stepMs = 50

interface Kept {
  readonly sessions: SessionStore
  readonly terminal: Pick<Terminal, 'now'>
  readonly adminUrl: string
}

/** Runs work while no other process of this person renews. @throws CliFailure when the other one does not come to an end */
async function alone<Result>({ sessions }: Kept, work: () => Promise<Result>): Promise<Result> {
  const { openDataFolder } = await import('#platform/files')
  const folder = openDataFolder(join(dirname(sessions.path), 'renewing'))
  for (let waitedMs = 0; ; waitedMs += stepMs) {
    try {
      const lock = folder.lock('session')
      try {
        return await work()
      } finally {
        lock.release()
      }
    } catch (error) {
      if (!(error instanceof Misuse && error.code === 'files.locked') || waitedMs >= longestWaitMs) throw error
      await sleep(stepMs)
    }
  }
}

function unreachable(tokenEndpoint: string): CliFailure {
  const { origin } = new URL(tokenEndpoint)
  const message = `no castellan answers at \`${origin}\`, where this terminal is renewed`
  return new CliFailure('unreachable', 'cli.unreachable', message, 'start it with `castellan up`')
}

async function ask({ tokenEndpoint, refreshToken }: Renewal): Promise<FormAnswer> {
  const fields = { client_id: clientId, grant_type: 'refresh_token', refresh_token: refreshToken }
  const answer = await postForm(tokenEndpoint, fields).catch(() => undefined)
  if (answer === undefined || answer.status >= 500 || answer.status === 429) throw unreachable(tokenEndpoint)
  return answer
}

async function renew(kept: Kept): Promise<SavedSession | undefined> {
  const { sessions, terminal, adminUrl } = kept
  // WHY: whoever held the lock before has renewed it.
  const saved = sessions.find(adminUrl)
  if (saved?.renewal === undefined || saved.expiresAt - terminal.now() > beforeEndMs) return saved
  const { status, body } = await ask(saved.renewal)
  const tokens = status === 200 ? tokensOf(body, saved.renewal, terminal.now()) : undefined
  if (tokens !== undefined) {
    const renewed = { ...tokens, name: saved.name }
    sessions.save(adminUrl, renewed)
    return renewed
  }
  // INVARIANT: only a sign-in that the server has ended is forgotten.
  if (['invalid_grant', 'invalid_client'].includes(textIn(body, 'error'))) sessions.remove(adminUrl)
  return undefined
}

/**
 * The saved sign-in, renewed when it is about to run out; of several processes at the same moment one renews it.
 * @returns undefined when there is none, or when it has ended
 */
export async function currentSession(kept: Kept): Promise<SavedSession | undefined> {
  const saved = kept.sessions.find(kept.adminUrl)
  if (saved?.renewal === undefined || saved.expiresAt - kept.terminal.now() > beforeEndMs) return saved
  return alone(kept, () => renew(kept))
}

/** Ends a sign-in by a browser at the server. @returns whether the server has heard of it */
export async function endRenewal({ revocationEndpoint, refreshToken }: Renewal): Promise<boolean> {
  const fields = { client_id: clientId, token: refreshToken, token_type_hint: 'refresh_token' }
  const answer = await postForm(revocationEndpoint, fields).catch(() => undefined)
  return answer?.status === 200
}
