/**
 * What of the suite for 2026-07-28 a server with sessions cannot be made to pass, check by check: what is asked there has
 * no words in the revisions before it.
 */
export const notBridged: Readonly<Record<string, string>> = {
  'input-required-result-basic-elicitation:sep-2322-elicitation-incomplete':
    'the suite expects the name of a question; before 2026-07-28 questions have none, and Castellan gives them one',
  'input-required-result-basic-elicitation:sep-2322-elicitation-complete':
    'it answers under that name, and before 2026-07-28 an answer without a call that waits for it means nothing',
  'input-required-result-ignore-extra-params:sep-2322-ignore-unexpected-params':
    'it sends answers before it was asked; a server with sessions has to ask first',
  'server-stateless:sep-2575-server-rejects-undeclared-capability':
    'the server refuses in the words of its revision, a failed result; that a capability was missing is not in them',
  'server-stateless:sep-2575-missing-capability-http-400':
    'it looks at the status of the error before it, which does not come',
}

/** The same for one that is a process. */
export const notBridgedToChildren: Readonly<Record<string, string>> = {
  ...notBridged,
  'server-stateless:sep-2575-http-server-no-independent-requests-on-stream':
    'it waits 600 ms; a client with other capabilities than before gets a process of its own, which may start more slowly',
}

/** What Castellan answers itself, and the reference server otherwise. */
export const answeredHere: Readonly<Record<string, string>> = {
  'tasks-dispatch-and-envelope:sep-2663-tasks-get-invalid-task-id-32602':
    'a task that nobody has is refused before its server is asked, which has no tasks at all',
}
