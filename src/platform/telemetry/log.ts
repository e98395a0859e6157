import { pino } from 'pino'
import { safeLine } from './log-line.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Further facts of a line. */
export interface LogFields {
  readonly trace_id?: string | undefined
  readonly span_id?: string | undefined
  readonly request_id?: string | undefined
  readonly [name: string]: unknown
}

/** What the process says about its own running. What people did is in the ledger, not here. */
export interface Log {
  /** @param event stable name, `<room>.<past-tense>`; @param says one line, the same for every such event */
  write(level: LogLevel, event: string, says: string, fields?: LogFields): void
  debug(event: string, says: string, fields?: LogFields): void
  info(event: string, says: string, fields?: LogFields): void
  warn(event: string, says: string, fields?: LogFields): void
  error(event: string, says: string, fields?: LogFields): void
  /** A step of the process's life: told to machines; for eyes only in detail, since the screen shows it. */
  milestone(event: string, says: string, fields?: LogFields): void
  isOn(level: LogLevel): boolean
  /** From the next line on. */
  setLevel(level: LogLevel): void
}

export interface LogOptions {
  readonly level: LogLevel
  /** How much a milestone weighs. */
  readonly milestones: LogLevel
  /** Takes each finished line, with its line break. */
  readonly output: (line: string) => void
  /** A copy of the value as plain JSON without secrets and personal data, of bounded size. */
  readonly redact: (value: unknown) => unknown
}

const idNames = ['request_id', 'trace_id', 'span_id'] as const
const idForm = /^[0-9a-f]{8}(?:[0-9a-f-]{8,28})?$/

/** Ids are told as they are, so that they can be searched for; what has another form is none, and left out. */
function idsOf(fields: LogFields): Record<string, string> {
  const ids: Record<string, string> = {}
  for (const name of idNames) {
    const id = fields[name]
    if (id !== undefined && idForm.test(id)) ids[name] = id
  }
  return ids
}

function redactFields(fields: LogFields, redact: LogOptions['redact']): Record<string, unknown> {
  const { request_id: _request, trace_id: _trace, span_id: _span, ...others } = fields
  const redacted = redact(others)
  const members = typeof redacted === 'object' && redacted !== null ? redacted : {}
  // INVARIANT: a field cannot stand in for what the line itself says.
  const { time: _time, level: _level, msg: _msg, 'event.name': _event, ...rest } = members as Record<string, unknown>
  return { ...idsOf(fields), ...rest }
}

/** JSON lines: `time level event.name … msg`. No line holds a secret, and no value can begin another line. */
export function createLog({ level, milestones, output, redact }: LogOptions): Log {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => output(`${safeLine(line.trimEnd())}\n`) },
  )
  const write: Log['write'] = (at, event, says, fields = {}) => {
    if (!logger.isLevelEnabled(at)) return
    const sentence = redact(says)
    logger[at](
      { 'event.name': event, ...redactFields(fields, redact) },
      typeof sentence === 'string' ? sentence : 'unreadable',
    )
  }
  return {
    write,
    debug: (event, says, fields) => write('debug', event, says, fields),
    info: (event, says, fields) => write('info', event, says, fields),
    warn: (event, says, fields) => write('warn', event, says, fields),
    error: (event, says, fields) => write('error', event, says, fields),
    milestone: (event, says, fields) => write(milestones, event, says, fields),
    isOn: (at) => logger.isLevelEnabled(at),
    setLevel(next) {
      logger.level = next
    },
  }
}
