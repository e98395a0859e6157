/**
 * What does a thing need, and what does a message need besides what it is about?
 * Stops: a file read by the right to read other resources; a subscription to what may not be read; roots told along.
 * Trusts: nothing; names come from callers.
 * Fails: a filter that cannot be judged is undefined, and refused by whoever asked.
 */
import type { Target } from '#kernel'
import type { Permission } from '#policy'
import { isFileUri, sharesRoots, subscribedResources } from '#protocol'
import type { Tasked } from '../guards/bind-handles.ts'
import type { Inbound } from '../guards/read-message.ts'

/** A permission on a target. */
export interface Needed {
  readonly permission: Permission
  readonly target: Target
  /** Set for what goes on with a call that was judged when it was made: it needs no fresh factor again. */
  readonly wasCalled?: true | undefined
}

const permissionFor: Readonly<Record<Target['kind'], Permission>> = {
  server: 'servers:use',
  tool: 'tools:call',
  resource: 'resources:read',
  prompt: 'prompts:get',
}

/** What a target needs. A file on the server's machine is never covered by the right to read its other resources. */
export function permissionOn({ kind, name }: Pick<Target, 'kind' | 'name'>): Permission {
  return kind === 'resource' && isFileUri(name ?? '') ? 'files:read' : permissionFor[kind]
}

/** Each resource that is subscribed to, each task that is followed, and roots; undefined where that cannot be read. */
export function neededBesides(upstream: string, { message, tasks }: Inbound & Tasked): readonly Needed[] | undefined {
  const need = (target: Target): Needed => ({ permission: permissionOn(target), target })
  const needed = subscribedResources(message)?.map((name) => need({ upstream, kind: 'resource', name }))
  for (const { tool } of tasks.followed)
    needed?.push({ ...need({ upstream, kind: 'tool', name: tool }), wasCalled: true })
  if (sharesRoots(message)) needed?.push({ permission: 'roots:share', target: { upstream, kind: 'server' } })
  return needed
}
