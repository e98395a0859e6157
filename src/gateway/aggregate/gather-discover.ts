/**
 * What can several servers do together, and how do they want to be used?
 * Stops: a capability that no call would find; instructions that pass for those of another server, or without end.
 * Trusts: nothing that a server says of itself: its words stand under the name that an administrator gave it.
 * Fails: a server without an answer in time is named, and the rest is told.
 */
import { isObject, metaKeys, servedRevisions } from '#protocol'
import { absentKey, type ListRooms } from './gather-list.ts'
import { askMembers, type Gathering, type Told } from './ask-members.ts'
import { tasksExtension } from './inward.ts'

const mostInstructionChars = 2_000
const mostInstructionsChars = 16_000
/** Capabilities of the revision, with the switches that each has. */
const known: Readonly<Record<string, readonly string[]>> = {
  tools: ['listChanged'],
  prompts: ['listChanged'],
  resources: ['listChanged', 'subscribe'],
  completions: [],
  logging: [],
}

/** WHY: Castellan itself tells when an administrator has changed a list. */
const toldByUs = 'listChanged'

type Json = Record<string, unknown>

function capabilitiesOf({ result }: Told): Json {
  return isObject(result['capabilities']) ? result['capabilities'] : {}
}

function mergeExtensions(all: readonly Json[]): Json {
  const merged: Json = {}
  for (const { extensions } of all) {
    for (const [name, value] of Object.entries(isObject(extensions) ? extensions : {})) {
      // WHY: of two servers that set an extension up differently the first is told; each keeps to its own.
      if (name !== tasksExtension) merged[name] ??= value
    }
  }
  return merged
}

/** What any of them can do. */
function mergeCapabilities(told: readonly Told[]): Json {
  const all = told.map(capabilitiesOf)
  const merged: Json = {}
  for (const [name, switches] of Object.entries(known)) {
    const having = all.map((each) => each[name]).filter(isObject)
    if (having.length === 0) continue
    const on = switches.filter((each) => each === toldByUs || having.some((one) => one[each] === true))
    merged[name] = Object.fromEntries(on.map((each) => [each, true]))
  }
  const extensions = mergeExtensions(all)
  return Object.keys(extensions).length === 0 ? merged : { ...merged, extensions }
}

function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most).toWellFormed()}…`
}

function joinInstructions(told: readonly Told[]): string {
  const parts = told.flatMap(({ upstream, result: { instructions } }) => {
    if (typeof instructions !== 'string' || instructions === '') return []
    return [`# ${upstream}\n\n${shortened(instructions, mostInstructionChars)}`]
  })
  return shortened(parts.join('\n\n'), mostInstructionsChars)
}

/** The text of a response that tells what the servers can do. */
export async function gatherDiscover(rooms: ListRooms, gathering: Gathering): Promise<string> {
  const { told, absent } = await askMembers(rooms, gathering, () => ({}))
  const instructions = joinInstructions(told)
  const result = {
    resultType: 'complete',
    supportedVersions: servedRevisions,
    capabilities: mergeCapabilities(told),
    ...(instructions === '' ? {} : { instructions }),
    ttlMs: 0,
    cacheScope: 'private',
    _meta: { [metaKeys.serverInfo]: rooms.serverInfo, ...(absent.length === 0 ? {} : { [absentKey]: absent }) },
  }
  return JSON.stringify({ jsonrpc: '2.0', id: gathering.message.id, result })
}
