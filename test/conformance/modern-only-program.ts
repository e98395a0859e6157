import { createMcpHandler } from '@modelcontextprotocol/server'
import { listen } from './reference/listen.ts'
import { createReferenceServer } from './reference/reference-server.ts'

/** The reference server for 2026-07-28 alone: it knows neither `initialize` nor sessions. */
const modern = createMcpHandler(() => createReferenceServer(modern.notify), { legacy: 'reject' })

listen((request) => modern.fetch(request))
