import { isObject, type Message } from '../message.ts'
import { legacyRevisions, metaKeys, modernRevisions } from '../revisions.ts'
import { spanOf } from '../json/edit-text.ts'
import { withoutMembers } from './without-members.ts'

/** What a client says of itself at `initialize`. */
export interface Introduction {
  /** The revision that both sides speak from here on. */
  readonly revision: string
  /** What the client can do, as 2026-07-28 names it. */
  readonly capabilities: Readonly<Record<string, unknown>>
  /** The client's name and version as JSON text; undefined when it gives none, or one too long to be repeated. */
  readonly clientInfo: string | undefined
}

const newestLegacy = '2025-11-25'
/** WHY: both are kept with the session, and travel with each of its requests. */
const maxInfoChars = 4 * 1024
const maxCapabilitiesChars = 8 * 1024

const tasks = 'io.modelcontextprotocol/tasks'

function clientCapabilities(given: Record<string, unknown>): Record<string, unknown> {
  const { roots, elicitation, extensions, tasks: _otherDesign, ...rest } = given
  const capabilities = { ...rest }
  if (isObject(roots)) capabilities['roots'] = {}
  if (isObject(elicitation)) {
    // SPEC: 2025-11-25, elicitation: a capability that names no mode is the one for forms, as before that revision.
    const namesMode = Object.hasOwn(elicitation, 'form') || Object.hasOwn(elicitation, 'url')
    capabilities['elicitation'] = namesMode ? elicitation : { ...elicitation, form: {} }
  }
  if (isObject(extensions)) {
    const { [tasks]: _notOffered, ...others } = extensions
    capabilities['extensions'] = others
  }
  return capabilities
}

/**
 * Reads `initialize`: the revision that is asked for when it is a legacy one, else the newest of those as a counter-offer.
 * @returns undefined when the params are not those of `initialize`
 */
export function readIntroduction({ params, text }: Message): Introduction | undefined {
  const { protocolVersion, capabilities = {} } = params ?? {}
  if (typeof protocolVersion !== 'string' || !isObject(capabilities)) return undefined
  const info = isObject(params?.['clientInfo']) ? spanOf(text, ['params', 'clientInfo']) : undefined
  const can = clientCapabilities(capabilities)
  return {
    revision: legacyRevisions.includes(protocolVersion) ? protocolVersion : newestLegacy,
    capabilities: JSON.stringify(can).length > maxCapabilitiesChars ? {} : can,
    clientInfo: info === undefined || info[1] - info[0] > maxInfoChars ? undefined : text.slice(...info),
  }
}

/** What a server of 2026-07-28 says of itself. */
export interface Discovered {
  readonly capabilities: Readonly<Record<string, unknown>>
  /** `result` of `initialize` without its revision: members as JSON text. */
  readonly members: string
}

const passed = new Set(['tools', 'prompts', 'resources', 'logging', 'completions', 'experimental', 'extensions'])

function capabilitiesText(text: string): string {
  const bare = withoutMembers(text, ['result', 'capabilities'], (name) => !passed.has(name))
  const edited = withoutMembers(bare, ['result', 'capabilities', 'extensions'], (name) => name === tasks)
  const span = spanOf(edited, ['result', 'capabilities'])
  return span === undefined ? '{}' : edited.slice(...span)
}

/**
 * Reads the response to `server/discover` for what `initialize` answers.
 * @param name of a server that does not say what it is called
 * @returns undefined for anything but a server of 2026-07-28
 */
export function readDiscovered(message: Message, name: string): Discovered | undefined {
  const { result } = message.json
  if (!isObject(result) || !isObject(result['capabilities'])) return undefined
  const versions: unknown[] = Array.isArray(result['supportedVersions']) ? result['supportedVersions'] : []
  if (!modernRevisions.some((revision) => versions.includes(revision))) return undefined
  const meta = result['_meta']
  const info =
    isObject(meta) && isObject(meta[metaKeys.serverInfo])
      ? spanOf(message.text, ['result', '_meta', metaKeys.serverInfo])
      : undefined
  const members = [
    `"capabilities":${capabilitiesText(message.text)}`,
    `"serverInfo":${info === undefined ? JSON.stringify({ name, version: '0' }) : message.text.slice(...info)}`,
  ]
  if (typeof result['instructions'] === 'string')
    members.push(`"instructions":${JSON.stringify(result['instructions'])}`)
  return { capabilities: result['capabilities'], members: members.join(',') }
}

/** The response to `initialize`. */
export function initializeResponse(id: string | number, revision: string, { members }: Discovered): string {
  const version = JSON.stringify(revision)
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"protocolVersion":${version},${members}}}`
}
