import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { createReferenceServer } from './reference/reference-server.ts'

/** The reference server on standard input and output. */
serveStdio(() => createReferenceServer())
