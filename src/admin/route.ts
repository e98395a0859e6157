import { Fault, isRefusal, type Principal, type Refusal } from '#kernel'
import type { Permission } from '#policy'
import { z } from 'zod'
import { maxBodyBytes } from './read-body.ts'
import { readFields } from './read-fields.ts'
import type { Rooms } from './rooms.ts'

/** Who may call a route: anyone, any signed-in person (for what is their own), or holders of a permission. */
export type Access = 'open' | 'signed-in' | Permission

/** What every call knows, before its fields are read. */
export interface Caller {
  readonly rooms: Rooms
  readonly requestId: string
  /** Of the socket, never of a header. */
  readonly address: string
  readonly agent: string | undefined
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal
  /** Absent on open routes only. */
  readonly principal: Principal | undefined
  /** The same decision as the route's own, for fields that reach further. Refusals are recorded. */
  allow(permission: Permission): Refusal | undefined
}

/** The request as it came, before its fields are read. */
export interface RawFields {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string[]>>
  readonly body: unknown
}

interface Fields<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType> {
  readonly params: z.infer<Params>
  readonly query: z.infer<Query>
  readonly body: z.infer<Body>
}

type OpenCall<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> = Caller & Fields<P, Q, B>
type SignedInCall<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> = OpenCall<P, Q, B> & {
  readonly principal: Principal
}

export interface Schemas {
  readonly params: z.ZodType
  readonly query: z.ZodType
  readonly body: z.ZodType
  readonly answer: z.ZodType
}

interface Description<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, A extends z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below `/api/v1`, with `:name` parameters. */
  readonly path: `/${string}`
  /** One line for the API reference. */
  readonly summary: string
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  /** Only these fields leave; an answer that lacks one is a fault. */
  readonly answer: A
  /** Of a good answer; 200 unless told. */
  readonly status?: 200 | 201
  /** Identity, behind it, has recorded what it refuses, with more than is known here. */
  readonly recordsOwnRefusals?: true
  /** Also for an administrator who has to register a passkey first. */
  readonly isForRegistering?: true
  /** Of the body, where it may be larger than others. */
  readonly maxBodyBytes?: number
}

/** A route with its types folded in: what the listener and the OpenAPI document need. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: `/${string}`
  readonly summary: string
  readonly access: Access
  readonly status: 200 | 201
  readonly recordsOwnRefusals: boolean
  readonly isForRegistering: boolean
  readonly maxBodyBytes: number
  /** The answer comes line by line; `schemas.answer` is that of one line. */
  readonly isStream: boolean
  readonly schemas: Schemas
  /** Reads the fields, does the work, and lets out only what the answer's schema names. */
  run(caller: Caller, raw: RawFields): Promise<unknown>
}

const none = z.strictObject({})
type None = typeof none

function fold<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, A extends z.ZodType>(
  access: Access,
  described: Description<P, Q, B, A>,
  handle: (caller: Caller, fields: Fields<P, Q, B>) => Promise<z.input<A> | Refusal>,
): Route {
  const schemas = {
    params: described.params ?? none,
    query: described.query ?? none,
    body: described.body ?? none,
    answer: described.answer,
  }
  return {
    method: described.method,
    path: described.path,
    summary: described.summary,
    access,
    status: described.status ?? 200,
    recordsOwnRefusals: described.recordsOwnRefusals ?? false,
    isForRegistering: described.isForRegistering ?? false,
    maxBodyBytes: described.maxBodyBytes ?? maxBodyBytes,
    isStream: false,
    schemas,
    async run(caller, raw) {
      const read = readFields(schemas, raw)
      if (isRefusal(read)) return read
      // WHY: `schemas` fell back to `none` only where the type parameter did too.
      const answer = await handle(caller, read as Fields<P, Q, B>)
      return isRefusal(answer) ? answer : described.answer.parse(answer)
    },
  }
}

/** A route without a session. */
export function openRoute<
  A extends z.ZodType,
  P extends z.ZodType = None,
  Q extends z.ZodType = None,
  B extends z.ZodType = None,
>(
  described: Description<P, Q, B, A> & {
    handle(call: OpenCall<P, Q, B>): Promise<z.input<A> | Refusal>
  },
): Route {
  return fold('open', described, (caller, fields) => described.handle({ ...caller, ...fields }))
}

/** A route for a signed-in person; `access` is decided before any field is read. */
export function route<
  A extends z.ZodType,
  P extends z.ZodType = None,
  Q extends z.ZodType = None,
  B extends z.ZodType = None,
>(
  described: Description<P, Q, B, A> & {
    readonly access: Exclude<Access, 'open'>
    handle(call: SignedInCall<P, Q, B>): Promise<z.input<A> | Refusal>
  },
): Route {
  return fold(described.access, described, (caller, fields) => {
    if (caller.principal === undefined) throw new Fault('admin.fault', 'a closed route ran without a principal')
    return described.handle({ ...caller, ...fields, principal: caller.principal })
  })
}

async function* plainLines<L extends z.ZodType>(lines: AsyncIterable<unknown>, line: L): AsyncGenerator<z.output<L>> {
  for await (const one of lines) yield line.parse(one)
}

/** As `route`, for an answer of many lines: each leaves when it is there, and only the fields of `line` do. */
export function streamRoute<
  L extends z.ZodType,
  P extends z.ZodType = None,
  Q extends z.ZodType = None,
  B extends z.ZodType = None,
>(
  described: Omit<Description<P, Q, B, z.ZodUnknown>, 'answer' | 'status'> & {
    readonly access: Exclude<Access, 'open'>
    readonly line: L
    handle(call: SignedInCall<P, Q, B>): Promise<AsyncIterable<z.input<L>> | Refusal>
  },
): Route {
  const { line, handle, ...rest } = described
  const folded = route({ ...rest, answer: z.unknown(), handle })
  return {
    ...folded,
    isStream: true,
    schemas: { ...folded.schemas, answer: line },
    async run(caller, raw) {
      const answer = await folded.run(caller, raw)
      return isRefusal(answer) ? answer : plainLines(answer as AsyncIterable<unknown>, line)
    },
  }
}
