import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { createReferenceServer } from './reference/reference-server.ts'

/** The reference server for 2026-07-28 alone, on standard input and output. */
serveStdio(() => createReferenceServer(), { legacy: 'reject' })
