import type { Refusal } from '#kernel'

/** One field of the request that is wrong. */
export interface FieldError {
  /** JSON pointer in a fragment: `#/body/name`, `#/query/limit`. */
  readonly pointer: string
  readonly detail: string
}

/** A refusal of the input, with the fields that are wrong. */
export interface InputRefusal extends Refusal {
  readonly errors: readonly FieldError[]
}

function fieldErrors(refusal: Refusal): readonly FieldError[] | undefined {
  return 'errors' in refusal ? (refusal as InputRefusal).errors : undefined
}

/**
 * The answer to a refused request: RFC 9457 problem details with `code`, `hint` and `request_id`.
 * Carries nothing of `refusal.detail`, which is for the ledger.
 */
export function problemResponse(refusal: Refusal, requestId: string, headers: Record<string, string> = {}): Response {
  const errors = fieldErrors(refusal)
  const body = {
    type: 'about:blank',
    title: refusal.says,
    status: refusal.status,
    code: refusal.code,
    hint: refusal.hint,
    request_id: requestId,
    ...(refusal.retryAfterSeconds === undefined ? {} : { retry_after_seconds: refusal.retryAfterSeconds }),
    ...(errors === undefined ? {} : { errors }),
  }
  return new Response(JSON.stringify(body), {
    status: refusal.status,
    headers: {
      'content-type': 'application/problem+json',
      ...(refusal.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      ...(refusal.retryAfterSeconds === undefined ? {} : { 'retry-after': String(refusal.retryAfterSeconds) }),
      ...headers,
    },
  })
}
