/**
 * A real MCP server over stdio: four tools, one resource and one prompt about a few notes in memory. It speaks the
 * revisions with `initialize` (up to 2025-11-25) and the stateless one (2026-07-28). Run it with `node`.
 */
import { createInterface } from 'node:readline'
import { Notebook, toolDefinitions } from './notes.ts'

const serverInfo = { name: 'castellan-notes', title: 'Notes', version: '1.0.0' }
const legacyRevisions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']
const modernRevision = '2026-07-28'
const versionKey = 'io.modelcontextprotocol/protocolVersion'
const capabilitiesKey = 'io.modelcontextprotocol/clientCapabilities'

const instructions = 'A small notebook. List the notes, read one by its id, create or delete one.'
const capabilities = { tools: {}, resources: {}, prompts: {} }
const allNotes = {
  uri: 'notes://all',
  name: 'all-notes',
  title: 'All notes',
  description: 'Every note in full',
  mimeType: 'text/markdown',
}
const summarise = {
  name: 'summarise_notes',
  title: 'Summarise the notes',
  description: 'Asks for a summary of every note',
}

type Fields = Record<string, unknown>

/** A JSON-RPC error on its way to the caller. */
class Failure extends Error {
  readonly code: number
  readonly details: unknown
  constructor(code: number, message: string, details?: unknown) {
    super(message)
    this.code = code
    this.details = details
  }
}

const notebook = new Notebook()

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function callTool(params: Fields): Fields {
  const given = params['arguments'] ?? {}
  if (!isFields(given)) throw new Failure(-32602, 'arguments must be an object')
  const answer = notebook.call(String(params['name']), given)
  if (answer === undefined) throw new Failure(-32602, `unknown tool ${JSON.stringify(params['name'])}`)
  const content = [{ type: 'text', text: answer.text }]
  return answer.isError === true ? { content, isError: true } : { content, structuredContent: answer.data }
}

function readResource(params: Fields, isModern: boolean): Fields {
  const { uri } = params
  if (uri !== allNotes.uri) throw new Failure(isModern ? -32602 : -32002, 'resource not found', { uri })
  return { contents: [{ uri, mimeType: allNotes.mimeType, text: notebook.all() }] }
}

function getPrompt(params: Fields): Fields {
  if (params['name'] !== summarise.name) throw new Failure(-32602, `unknown prompt ${JSON.stringify(params['name'])}`)
  const text = `Summarise these notes in one paragraph:\n\n${notebook.all()}`
  return { description: summarise.description, messages: [{ role: 'user', content: { type: 'text', text } }] }
}

/** What both eras answer alike. */
function answer(method: string, params: Fields, isModern: boolean): Fields | undefined {
  switch (method) {
    case 'tools/list':
      return { tools: toolDefinitions }
    case 'tools/call':
      return callTool(params)
    case 'resources/list':
      return { resources: [allNotes] }
    case 'resources/templates/list':
      return { resourceTemplates: [] }
    case 'resources/read':
      return readResource(params, isModern)
    case 'prompts/list':
      return { prompts: [summarise] }
    case 'prompts/get':
      return getPrompt(params)
    default:
      return undefined
  }
}

const cacheable = new Set([
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
])

function answerModern(method: string, params: Fields, meta: Fields): Fields {
  const requested = meta[versionKey]
  if (requested !== modernRevision) {
    throw new Failure(-32022, 'unsupported protocol version', {
      supported: [modernRevision, ...legacyRevisions],
      requested,
    })
  }
  if (!isFields(meta[capabilitiesKey])) throw new Failure(-32602, `_meta lacks ${capabilitiesKey}`)
  const discovered = { supportedVersions: [modernRevision, ...legacyRevisions], capabilities, instructions }
  const result = method === 'server/discover' ? discovered : answer(method, params, true)
  if (result === undefined) throw new Failure(-32601, 'method not found')
  const caching = cacheable.has(method) ? { ttlMs: 0, cacheScope: 'private' } : {}
  return { resultType: 'complete', ...result, ...caching, _meta: { 'io.modelcontextprotocol/serverInfo': serverInfo } }
}

function answerLegacy(method: string, params: Fields): Fields {
  if (method === 'initialize') {
    const requested = String(params['protocolVersion'])
    const protocolVersion = legacyRevisions.includes(requested) ? requested : '2025-11-25'
    return { protocolVersion, capabilities, serverInfo, instructions }
  }
  if (method === 'ping') return {}
  const result = answer(method, params, false)
  if (result === undefined) throw new Failure(-32601, 'method not found')
  return result
}

function respond(message: Fields): Fields | undefined {
  const { id, method } = message
  // SPEC: notifications and answers are never answered.
  if (id === undefined || id === null || typeof method !== 'string') return undefined
  const params = isFields(message['params']) ? message['params'] : {}
  const meta = isFields(params['_meta']) ? params['_meta'] : {}
  try {
    const result = versionKey in meta ? answerModern(method, params, meta) : answerLegacy(method, params)
    return { jsonrpc: '2.0', id, result }
  } catch (error) {
    if (!(error instanceof Failure)) return { jsonrpc: '2.0', id, error: { code: -32603, message: 'internal error' } }
    const data = error.details === undefined ? {} : { data: error.details }
    return { jsonrpc: '2.0', id, error: { code: error.code, message: error.message, ...data } }
  }
}

function read(line: string): Fields | undefined {
  try {
    const message: unknown = JSON.parse(line)
    return isFields(message) ? message : undefined
  } catch {
    return undefined
  }
}

createInterface({ input: process.stdin }).on('line', (line) => {
  if (line.trim() === '') return
  const message = read(line)
  const response =
    message === undefined
      ? { jsonrpc: '2.0', id: null, error: { code: -32700, message: 'parse error' } }
      : respond(message)
  if (response !== undefined) process.stdout.write(`${JSON.stringify(response)}\n`)
})
