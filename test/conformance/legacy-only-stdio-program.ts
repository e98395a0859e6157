import { type McpServer } from '@modelcontextprotocol/server'
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import { createReferenceServer } from './reference/reference-server.ts'

/** The reference server for the legacy era alone, on standard input and output. */
// WHY: the library's interface for transports does not allow for exactOptionalPropertyTypes.
await createReferenceServer().connect(new StdioServerTransport() as Parameters<McpServer['connect']>[0])
