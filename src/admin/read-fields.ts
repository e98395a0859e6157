import { refuse, type Refusal } from '#kernel'
import type { z } from 'zod'
import type { FieldError, InputRefusal } from './problem.ts'
import { refusals } from './refusals.ts'
import type { RawFields, Schemas } from './route.ts'

const maxErrors = 10
const maxDetailChars = 200

function pointer(part: string, path: readonly PropertyKey[]): string {
  const steps = path.map((step) => `/${encodeURIComponent(String(step).replaceAll('~', '~0').replaceAll('/', '~1'))}`)
  return `#/${part}${steps.join('')}`
}

function describe(part: string, error: z.ZodError): FieldError[] {
  return error.issues.map((issue) => ({
    pointer: pointer(part, issue.path).slice(0, maxDetailChars),
    detail: issue.message.slice(0, maxDetailChars),
  }))
}

/** A refusal that names the wrong fields, at most ten of them. */
export function invalid(errors: readonly FieldError[]): InputRefusal {
  return { ...refuse(refusals.invalidRequest), errors: errors.slice(0, maxErrors) }
}

function repeated(query: RawFields['query']): FieldError[] {
  const names = Object.keys(query).filter((name) => query[name]?.length !== 1)
  return names.map((name) => ({ pointer: pointer('query', [name]), detail: 'given more than once' }))
}

/** The request's fields as the schemas have them, or a refusal that names every wrong one. */
export function readFields(schemas: Schemas, raw: RawFields): Record<'params' | 'query' | 'body', unknown> | Refusal {
  const query = Object.fromEntries(Object.entries(raw.query).map(([name, values]) => [name, values[0]]))
  const read = {
    params: schemas.params.safeParse(raw.params),
    query: schemas.query.safeParse(query),
    body: schemas.body.safeParse(raw.body),
  }
  const wrong = Object.entries(read).flatMap(([part, result]) =>
    result.error === undefined ? [] : describe(part, result.error),
  )
  const errors = [...repeated(raw.query), ...wrong]
  if (errors.length > 0) return invalid(errors)
  return { params: read.params.data, query: read.query.data, body: read.body.data }
}
