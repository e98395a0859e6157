/**
 * How is an ended exchange told apart from others, in few different words?
 * Stops: names a caller made up becoming labels: methods are listed ones, tools approved ones, error codes known ones.
 * Trusts: the pins for which tools are approved; the refusal's code, which is written in a table.
 * Fails: what is not known is `other`, or left out.
 * @see OpenTelemetry semantic conventions for MCP
 */
import type { Principal, Refusal, Target } from '#kernel'
import type { Message } from '#protocol'
import type { Decision } from '#policy'
import type { UpstreamRecord } from '#upstream'
import type { Pins } from '../guards/match-pinned-tool.ts'
import { wireOf } from '../refuse.ts'
import type { Verdict } from '../safe-result.ts'

/** What an exchange knew when it ended: as far as it got. */
export interface Learned {
  readonly exchangeId: string
  readonly principal?: Principal
  readonly message?: Message | undefined
  readonly version?: string
  readonly upstream?: UpstreamRecord
  readonly target?: Target
  readonly decision?: Decision
}

export interface End {
  readonly known: Learned
  /** Why it was refused or cut; undefined when it was answered. */
  readonly refusal?: Refusal | undefined
  /** The guard that refused. */
  readonly guard?: string | undefined
  /** It was open when it was ended. */
  readonly isCut?: boolean
  /** What the answer turned out to be. */
  readonly verdict?: Verdict | undefined
}

/** An ended exchange in words of which there are few. Empty where it does not apply. */
export interface EndWords {
  /** `other` for a method that is not served; empty for what is no request and no notification. */
  readonly method: string
  readonly server: string
  /** The tool's own name. */
  readonly tool: string
  readonly version: string
  readonly rule: string
  readonly decision: 'allowed' | 'refused' | 'cut'
  readonly refusal: string
  /** The JSON-RPC code of an error, or empty. */
  readonly code: string
  readonly isToolError: boolean
  /** How the upstream is reached. */
  readonly transport: 'tcp' | 'pipe'
}

/** Codes of JSON-RPC and of MCP. An upstream may send any number; these are told, all others are `other`. */
const knownCodes = new Set([
  -32700, -32600, -32601, -32602, -32603, -32000, -32001, -32002, -32003, -32020, -32021, -32022, -32042,
])

/** SPEC: OpenTelemetry conventions for MCP: on the server's side these are the client's errors. */
const clientsErrors = new Set(['-32700', '-32600', '-32601', '-32602', '-32002'])

function codeOf({ refusal, verdict, known }: End): string {
  if (refusal !== undefined) return String(wireOf(refusal, known.message?.id !== undefined).code)
  const code = verdict?.detail['errorCode']
  if (code === undefined) return verdict?.detail['fault'] === undefined || verdict.outcome !== 'failed' ? '' : '-32603'
  return typeof code === 'number' && knownCodes.has(code) ? String(code) : 'other'
}

function methodOf({ message, target }: Learned): string {
  if (message?.method === undefined) return ''
  // INVARIANT: a target is only resolved for a method that is served, so this name is one of a list.
  return target === undefined ? 'other' : message.method
}

function toolOf({ target }: Learned, pins: Pins): string {
  if (target?.kind !== 'tool' || target.name === undefined) return ''
  return pins.find(target.upstream, target.name)?.approvedHash === undefined ? '' : target.name
}

export function describeEnd(end: End, pins: Pins): EndWords {
  const { known, refusal } = end
  return {
    method: methodOf(known),
    server: known.upstream?.name ?? '',
    tool: toolOf(known, pins),
    version: known.version ?? '',
    rule: known.decision?.reasons[0]?.rule ?? '',
    decision: end.isCut === true ? 'cut' : known.decision === undefined ? 'refused' : 'allowed',
    refusal: refusal?.code ?? '',
    code: codeOf(end),
    isToolError: end.verdict?.detail['isToolError'] === true,
    transport: known.upstream?.transport === 'stdio' ? 'pipe' : 'tcp',
  }
}

/** @param side whose error it is counted as: what a client did wrong is no error of the server */
export function errorTypeOf({ code, isToolError }: EndWords, side: 'server' | 'client'): string {
  if (isToolError) return 'tool_error'
  return side === 'server' && clientsErrors.has(code) ? '' : code
}

/** A tool's name across servers: `books__echo`. */
export function fullToolName({ server, tool }: EndWords): string {
  return tool === '' ? '' : `${server}__${tool}`
}
