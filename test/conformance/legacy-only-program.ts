import { listen } from './reference/listen.ts'
import { answerInSessions } from './reference/serve-sessions.ts'

/** The reference server for the legacy era alone: whatever comes is taken for a request of it. */
listen(answerInSessions)
