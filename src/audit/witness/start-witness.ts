/**
 * A witness, as its own process: a listener, a key and a file.
 * Stops: a witness that lives where the ledger's own key is, and so vouches for nothing.
 * Trusts: its data folder's permissions.
 * Fails: requests that break something get 500, and no signature.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Clock, Misuse } from '#kernel'
import type { DataFolder } from '#platform/files'
import { createListener, readBody, readTls, type TlsPaths } from '#platform/http'
import { isOrigin, makeLedgerKey } from '../heads.ts'
import { keyKinds, readNoteKey, type NoteKey } from '../notes/signed-note.ts'
import { keyFile } from '../storage/schema.ts'
import { openWitnessStore } from '../storage/witness-store.ts'
import { createCosigner } from './cosign.ts'
import { createWitness, type WitnessAnswer } from './witness.ts'

export interface WitnessOptions {
  readonly dataFolder: DataFolder
  /** Names the witness in its signatures: a schema-less URL, or any name without spaces and `+`. */
  readonly name: string
  /** Lines of `ledger-key.pub`. */
  readonly logs: readonly string[]
  readonly clock: Clock
  readonly port: number
  /** Loopback unless told. */
  readonly addresses?: readonly string[]
  readonly tls?: Omit<TlsPaths, 'minVersion'> | undefined
  readonly dangerouslyAllowPlainHttp: boolean
  /** Told of each request about a log, with what came of it. */
  readonly onAnswer: (answer: WitnessAnswer) => void
  readonly onFault: (error: unknown) => void
}

export interface RunningWitness {
  readonly port: number
  /** The line by which others verify its signatures. */
  readonly verifierKey: string
  close(): Promise<void>
}

const stateFile = 'witness.db'
const witnessKeyFile = 'witness-key'
const mostBytes = 64 * 1024
const path = '/add-checkpoint'
const graceMs = 2_000

function readLogs(lines: readonly string[]): ReadonlyMap<string, NoteKey> {
  const keys = lines.map((line) => {
    const key = readNoteKey(line)
    if (key?.kind === keyKinds.ed25519) return key
    throw new Misuse('witness.log-key', 'this is no public key of a log', 'give a copy of its `ledger-key.pub`')
  })
  const logs = new Map(keys.map((key) => [key.name, key]))
  if (logs.size === keys.length && keys.length > 0) return logs
  const says = keys.length === 0 ? 'a witness needs a log' : 'two keys are of logs with the same name'
  throw new Misuse('witness.logs', says, 'give the public key of each log once')
}

function refuseFolder(folder: DataFolder): void {
  if (folder.readSecret(keyFile) === undefined) return
  const says = `\`${folder.path}\` holds the key of a ledger: a witness there would vouch for nothing`
  throw new Misuse('witness.beside-ledger', says, 'give it a data folder, and better a machine, of its own')
}

const contentTypeOf = ({ finding, status }: WitnessAnswer): string =>
  finding !== undefined && status === 409 ? 'text/x.tlog.size' : 'text/plain; charset=utf-8'

type Answering = Pick<WitnessOptions, 'onAnswer' | 'onFault'> & { readonly witness: (request: string) => WitnessAnswer }

async function respond(request: IncomingMessage, response: ServerResponse, answering: Answering): Promise<void> {
  const end = (status: number, body: string, type = 'text/plain; charset=utf-8'): void => {
    response.writeHead(status, { 'content-type': type, 'x-content-type-options': 'nosniff' }).end(body)
  }
  if (request.url !== path) return end(404, `there is \`POST ${path}\` alone\n`)
  if (request.method !== 'POST') return end(405, 'use POST\n')
  const body = await readBody(request, mostBytes)
  if (body === 'aborted') return
  if (typeof body === 'string') return end(body === 'too-large' ? 413 : 415, `the body is ${body}\n`)
  const answer = answering.witness(body.toString('utf8'))
  answering.onAnswer(answer)
  end(answer.status, answer.body, contentTypeOf(answer))
}

/** @throws Misuse `witness.name`, `witness.log-key`, `witness.logs`, `witness.beside-ledger`; as `createListener` and `readTls` */
export async function startWitness(options: WitnessOptions): Promise<RunningWitness> {
  const { dataFolder, name, clock, port, addresses, tls, dangerouslyAllowPlainHttp } = options
  if (!isOrigin(name))
    throw new Misuse(
      'witness.name',
      'the name of the witness has spaces or `+`',
      'give it a plain name, such as a host',
    )
  const logs = readLogs(options.logs)
  refuseFolder(dataFolder)
  const lock = dataFolder.lock('witness')
  const cosigner = createCosigner(dataFolder.secretOrCreate(witnessKeyFile, makeLedgerKey).toString(), name)
  const store = openWitnessStore(dataFolder.file(stateFile))
  const answering = { ...options, witness: createWitness({ logs, store, cosigner, clock }) }
  const listener = createListener({
    name: 'witness',
    port,
    ...(addresses !== undefined && { addresses }),
    ...(tls !== undefined && { tls: readTls({ ...tls, minVersion: 'TLSv1.2' }) }),
    dangerouslyAllowPlainHttp,
    handler(request, response) {
      respond(request, response, answering).catch((error: unknown) => {
        options.onFault(error)
        if (response.headersSent) response.destroy()
        else response.writeHead(500, { 'content-type': 'text/plain' }).end('nothing was signed\n')
      })
    },
  })
  const end = (): void => {
    store.close()
    lock.release()
  }
  try {
    const { port: opened } = await listener.listen()
    return {
      port: opened,
      verifierKey: cosigner.verifierKey,
      async close() {
        await listener.close(graceMs)
        end()
      },
    }
  } catch (error) {
    end()
    throw error
  }
}
