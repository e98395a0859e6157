/** What can be revoked: each time somebody new who has it, and how it is taken back at the first node. */
import { randomUUID } from 'node:crypto'
import { exportJWK, SignJWT } from 'jose'
import { goodClaims } from '../../test/world/issuers/issuer.ts'
import { createKey, signParts, type SigningKey } from '../../test/world/issuers/signing.ts'
import { obtainTokens, post } from '../../test/world/oauth/client.ts'
import { signInTerminal } from '../../test/world/oauth/terminal.ts'
import { callAdmin } from '../../test/world/people.ts'
import type { Group } from './load-contract.ts'
import { type Asked, type Scene, server, timed } from './scene.ts'

export interface Victim {
  readonly plan: Group
  /** Takes it back. */
  revoke(): Promise<Asked>
  /** Makes room for the next one. */
  clear?(): Promise<unknown>
}

export interface Kind {
  readonly name: string
  /** What the ledger has of each. */
  readonly event: string
  prepare(at: number): Promise<Victim>
}

const ttlSeconds = 3_600
const joint = '/mcp'

interface Minted {
  readonly id: string
  readonly token: string
}

async function mint(scene: Scene, path: string, name: string, session?: string): Promise<Minted> {
  const { first } = scene.nodes
  const body = { label: 'load', resource: scene.resource(name), ttlSeconds }
  const token = session ?? first.ana.sessionToken()
  const minted = await callAdmin(first.adminUrl, { method: 'POST', path, body, token })
  const view = minted.body['view'] as { id: string } | undefined
  if (view === undefined) throw new Error(`not minted: ${JSON.stringify(minted.body)}`)
  return { id: view.id, token: String(minted.body['token']) }
}

function idsOf(body: Record<string, unknown>): readonly { readonly id: string }[] {
  return body['items'] as { id: string }[]
}

/** An account of a program, and a token of it. */
export async function account(
  scene: Scene,
  name: string,
): Promise<{ id: string; mint(name: string): Promise<Minted> }> {
  const body = { name, purpose: 'load', owner: 'ana', roles: ['admin-of-calls'] }
  const { id } = await scene.admin('POST', '/service-accounts', body)
  return { id: String(id), mint: (at) => mint(scene, `/service-accounts/${String(id)}/tokens`, at) }
}

function revoker({ nodes: { first } }: Scene, method: string, path: string, body?: unknown): () => Promise<Asked> {
  return () => timed(() => callAdmin(first.adminUrl, { method, path, body, token: first.ana.sessionToken() }))
}

function user(scene: Scene): Kind {
  return {
    name: 'user suspended',
    event: 'person.suspended',
    async prepare(at) {
      const name = `user-${at}`
      const person = await scene.stage.join(name, ['admin-of-calls'])
      const own = await mint(scene, '/tokens', server, person.sessionToken())
      const both = await mint(scene, '/tokens', joint, person.sessionToken())
      const plan = scene.group(name, { own: own.token, joint: both.token })
      return { plan, revoke: revoker(scene, 'POST', `/people/${name}/suspend`, {}) }
    },
  }
}

function token(scene: Scene): Kind {
  return {
    name: 'token (cst_) revoked',
    event: 'token.revoked',
    async prepare(at) {
      const { id, token: own } = await mint(scene, '/tokens', server)
      return { plan: scene.group(`token-${at}`, { own }), revoke: revoker(scene, 'DELETE', `/tokens/${id}`) }
    },
  }
}

interface Keyed {
  readonly id: string
  /** A token of the client for a server or for `/mcp`. */
  token(name: string): Promise<string>
}

async function ask(scene: Scene, id: string, more: Record<string, string>, name: string): Promise<string> {
  const { gatewayUrl } = scene.nodes.first
  const fields = {
    grant_type: 'client_credentials',
    scope: 'mcp',
    resource: scene.resource(name),
    client_id: id,
    ...more,
  }
  const told = await post(gatewayUrl, '/oauth/token', fields)
  if (told.status !== 200) throw new Error(`no token: ${JSON.stringify(told.body)}`)
  return String(told.body['access_token'])
}

async function keyedClient(scene: Scene, name: string, keys: readonly SigningKey[]): Promise<Keyed> {
  const { id: personId } = await account(scene, name)
  const jwks = {
    keys: await Promise.all(keys.map(async (key) => ({ ...(await exportJWK(key.publicKey)), kid: key.keyId }))),
  }
  const grantTypes = ['client_credentials']
  const added = await scene.admin('POST', '/clients', {
    name,
    authentication: 'private_key_jwt',
    grantTypes,
    personId,
    jwks,
  })
  const { id } = added['client'] as { id: string }
  const [key] = keys
  if (key === undefined) throw new Error('no key')
  return {
    id,
    async token(at) {
      const assertion = await new SignJWT({ jti: randomUUID() })
        .setProtectedHeader({ alg: 'ES256', kid: key.keyId })
        .setIssuer(id)
        .setSubject(id)
        .setAudience(scene.nodes.first.gatewayUrl)
        .setIssuedAt()
        .setExpirationTime('60s')
        .sign(key.privateKey)
      const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
      return ask(scene, id, { client_assertion_type, client_assertion: assertion }, at)
    },
  }
}

function client(scene: Scene): Kind {
  return {
    name: 'client blocked',
    event: 'client.blocked',
    async prepare(at) {
      const { id, token: of } = await keyedClient(scene, `client-${at}`, [createKey('ES256', 'one')])
      const plan = scene.group(`client-${at}`, { own: await of(server), joint: await of(joint) })
      return { plan, revoke: revoker(scene, 'POST', `/clients/${id}/block`, {}) }
    },
  }
}

function clientKey(scene: Scene): Kind {
  return {
    name: 'key of a client withdrawn',
    event: 'client.key-withdrawn',
    async prepare(at) {
      const keys = [createKey('ES256', 'lost'), createKey('ES256', 'kept')]
      const { id, token: of } = await keyedClient(scene, `keyed-${at}`, keys)
      const plan = scene.group(`keyed-${at}`, { own: await of(server), joint: await of(joint) })
      return { plan, revoke: revoker(scene, 'POST', `/clients/${id}/keys/withdraw`, { key: 'lost' }) }
    },
  }
}

function issuerKey(scene: Scene): Kind {
  const { issuer } = scene
  return {
    name: 'key of an issuer withdrawn',
    event: 'issuer.key-withdrawn',
    async prepare(at) {
      const key = issuer.keys[at + 1]
      if (key === undefined) throw new Error('the issuer has too few keys')
      const sign = (name: string): string => issuerToken(scene, key, `person-${at}`, name)
      const plan = scene.group(`issuer-${at}`, { own: sign(server), joint: sign(joint) })
      const body = { issuer: issuer.issuer, key: key.keyId }
      return { plan, revoke: revoker(scene, 'POST', '/issuers/keys/withdraw', body) }
    },
  }
}

/** A signed token of the issuer elsewhere. */
export function issuerToken({ issuer, resource }: Scene, key: SigningKey, sub: string, name: string): string {
  const head = { alg: key.algorithm, kid: key.keyId, typ: 'at+jwt' }
  const claims = goodClaims(issuer.issuer, resource(name), Math.floor(Date.now() / 1_000))
  return signParts(key, JSON.stringify(head), JSON.stringify({ ...claims, sub, name: sub }))
}

function oauthToken(scene: Scene): Kind {
  const { gatewayUrl } = scene.nodes.first
  return {
    name: 'token (coa_) revoked',
    event: 'oauth-token.revoked',
    async prepare(at) {
      const { visitor, person } = await visitorFor(scene)
      const { accessToken: own, clientId } = await obtainTokens(gatewayUrl, person, {
        visitor,
        resource: scene.resource(server),
      })
      const fields = { token: own, client_id: clientId, token_type_hint: 'access_token' }
      return {
        plan: scene.group(`oauth-${at}`, { own }),
        revoke: () => timed(() => post(gatewayUrl, '/oauth/revoke', fields)),
      }
    },
  }
}

const visitors = new WeakMap<Scene, ReturnType<Scene['stage']['visitorOf']>>()

/** One browser for all, signed in once. */
function visitorFor(scene: Scene): ReturnType<Scene['stage']['visitorOf']> {
  const known =
    visitors.get(scene) ??
    scene.stage.freshCode(scene.nodes.first.ana).then(async (code) => {
      const signedIn = await scene.stage.visitorOf(scene.nodes.first.ana)
      return { ...signedIn, person: { ...signedIn.person, nextCode: () => code } }
    })
  visitors.set(scene, known)
  return known
}

function grant(scene: Scene): Kind {
  const { stage, nodes } = scene
  let browser: ReturnType<typeof stage.browserOf> | undefined
  return {
    name: 'grant ended',
    event: 'grant.ended',
    async prepare(at) {
      const { visitor, person } = await visitorFor(scene)
      const { accessToken: own, clientId } = await obtainTokens(nodes.first.gatewayUrl, person, {
        visitor,
        resource: scene.resource(server),
      })
      const rows = stage.database.query.selectFrom('oauth_grants').select('id').where('client_id', '=', clientId)
      const { id } = await rows.executeTakeFirstOrThrow()
      browser ??= stage.browserOf(nodes.first.ana)
      const page = await browser
      return {
        plan: scene.group(`grant-${at}`, { own }),
        revoke: () => timed(() => page.submit('/account', { id }, '/account/clients')),
      }
    },
  }
}

function session(scene: Scene): Kind {
  const { first, admins } = scene.nodes
  return {
    name: 'session ended',
    event: 'session.ended',
    async prepare(at) {
      await scene.stage.clearThrottle()
      const { name, password } = first.ana
      const code = await scene.stage.freshCode(first.ana)
      const { body } = await callAdmin(first.adminUrl, {
        method: 'POST',
        path: '/sign-in',
        body: { name, password, code },
      })
      const own = String(body['token'])
      const items = idsOf(await scene.admin('GET', '/me/sessions'))
      const callers = admins.map((origin) => ({ origin, server: '/api/v1/me', token: own }))
      const plan = { ...scene.group(`session-${at}`, { own }), streams: [], callers }
      return { plan, revoke: revoker(scene, 'DELETE', `/me/sessions/${items[0]?.id ?? ''}`) }
    },
  }
}

/** What rests on a person's sign-ins: sessions and terminals. Access tokens and grants outlive them, on purpose. */
function signIns(scene: Scene): Kind {
  const { first, admins } = scene.nodes
  return {
    name: 'signed out everywhere',
    event: 'session.ended',
    async prepare(at) {
      await scene.stage.clearThrottle()
      const name = `signed-out-${at}`
      const person = await scene.stage.join(name, ['admin-of-calls'])
      const code = await scene.stage.freshCode(person)
      const { token: own } = await signInTerminal(first, { ...person, nextCode: () => code })
      // WHY: a terminal is signed in at the address that people know, which is the first node's here.
      const callers = [
        { origin: first.adminUrl, server: '/api/v1/me', token: own },
        ...admins.map((origin) => ({ origin, server: '/api/v1/me', token: person.sessionToken() })),
      ]
      const plan = { ...scene.group(name, { own }), streams: [], callers }
      return { plan, revoke: revoker(scene, 'POST', `/people/${name}/sign-out`, {}) }
    },
  }
}

function upstream(scene: Scene): Kind {
  return {
    name: 'upstream removed',
    event: 'upstream.removed',
    async prepare(at) {
      const name = `gone-${at}`
      const own = await scene.nodes.first.addUpstream(name, scene.upstreamUrl)
      const plan = scene.group(name, { own, server: name })
      return { plan, revoke: revoker(scene, 'DELETE', `/upstreams/${name}`) }
    },
  }
}

function hold(scene: Scene): Kind {
  return {
    name: 'upstream held',
    event: 'hold.placed',
    async prepare(at) {
      const name = 'held'
      const own =
        at === 0
          ? await scene.nodes.first.addUpstream(name, scene.upstreamUrl)
          : (await mint(scene, '/tokens', name)).token
      const plan = scene.group(`held-${at}`, { own, server: name })
      const revoke = revoker(scene, 'POST', '/holds', { kind: 'upstream', subject: name, reason: 'a proof' })
      return {
        plan,
        revoke,
        async clear() {
          const items = idsOf(await scene.admin('GET', '/holds'))
          for (const { id } of items) await scene.admin('DELETE', `/holds/${id}`)
        },
      }
    },
  }
}

export function makeKinds(scene: Scene): readonly Kind[] {
  const kinds = [user, client, token, oauthToken, grant, session, signIns, issuerKey, clientKey, upstream, hold]
  return kinds.map((make) => make(scene))
}
