import { createMcpHandler, isLegacyRequest } from '@modelcontextprotocol/server'
import { listen } from './reference/listen.ts'
import { createReferenceServer } from './reference/reference-server.ts'
import { answerInSessions } from './reference/serve-sessions.ts'

/** The reference server for both protocol eras over Streamable HTTP, on the second line of the official library. */
const modern = createMcpHandler(() => createReferenceServer(modern.notify), { legacy: 'reject' })

listen(async (request) => ((await isLegacyRequest(request)) ? answerInSessions(request) : modern.fetch(request)))
