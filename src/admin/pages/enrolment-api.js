/** What went wrong, as the server said it or as the network left it. */
export class Problem extends Error {
  /** @param {{ code: string, title: string, hint: string, errors?: { pointer: string, detail: string }[], retryAfterSeconds?: number }} said */
  constructor(said) {
    super(said.title)
    this.code = said.code
    this.title = said.title
    this.hint = said.hint
    this.errors = said.errors ?? []
    this.retryAfterSeconds = said.retryAfterSeconds
  }
}

const unreachable = {
  code: 'page.unreachable',
  title: 'Castellan does not answer',
  hint: 'check that it is still running, then try again; nothing you did is lost',
}

/**
 * One step of an enrolment.
 * @param {'begin' | 'choose' | 'finish'} step
 * @param {Record<string, string>} body
 * @throws {Problem}
 */
export async function enrol(step, body) {
  let response
  let answer
  try {
    response = await fetch(`/api/v1/enrolments/${step}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
    })
    answer = await response.json()
  } catch {
    throw new Problem(unreachable)
  }
  if (response.ok) return answer
  throw new Problem({
    code: String(answer.code ?? 'page.unknown'),
    title: String(answer.title ?? 'the server could not do this'),
    hint: String(answer.hint ?? 'try again'),
    errors: Array.isArray(answer.errors) ? answer.errors : [],
    retryAfterSeconds: answer.retry_after_seconds,
  })
}
