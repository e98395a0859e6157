import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { freshPostgres, freshSqlite } from '../world/databases.ts'
import { obtainCode, obtainTokens, register } from '../world/oauth/client.ts'
import { createVisitor, type Visitor } from '../world/oauth/visitor.ts'
import { type Nodes, startNodes } from '../../tools/once/nodes.ts'

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'
const mostMs = 240_000

/** Holds every process up that writes an access token, in the middle of what it writes with it. */
interface Stall {
  begin(): Promise<void>
  /** Until a process is held up. */
  reached(): Promise<void>
  end(): Promise<void>
}

async function stallPostgres(url: string): Promise<Stall> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  onTestFinished(() => client.end())
  await client.query(`create table stall (n int);
    create function stall() returns trigger language plpgsql as $$
      begin if exists (select from stall) then perform pg_sleep(3); end if; return new; end $$;
    create trigger stall before insert on oauth_artifacts for each row when (new.kind = 'AccessToken')
      execute function stall()`)
  const sleeping = "select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'"
  return {
    begin: async () => void (await client.query('insert into stall values (1)')),
    async reached() {
      while ((await client.query(sleeping)).rowCount === 0) await sleep(20)
    },
    end: async () => void (await client.query('delete from stall')),
  }
}

async function stallSqlite(url: string): Promise<Stall> {
  const file = new DatabaseSync(url.slice('sqlite:'.length))
  onTestFinished(() => file.close())
  file.exec(`create table stall (n int);
    create trigger stall before insert on oauth_artifacts when new.kind = 'AccessToken' and exists (select 1 from stall)
      begin select count(*) from stall a, stall b, stall c; end`)
  const isLocked = (): boolean => {
    try {
      file.exec('begin immediate; rollback')
      return false
    } catch {
      return true
    }
  }
  return {
    begin: async () => {
      const insert = file.prepare('insert into stall values (1)')
      for (let n = 0; n < 5_000; n += 1) insert.run()
    },
    async reached() {
      // WHY: the lock of a transaction that is only short is free again a moment later.
      for (let held = 0; held < 10; held = isLocked() ? held + 1 : 0) await sleep(20)
    },
    end: async () => file.exec('delete from stall'),
  }
}

/** Something that gives tokens once, and where it is redeemed. */
type Redeem = (node: number) => ReturnType<Nodes['post']>

/** @param visitor the administrator's browser: she signs in once */
type Obtain = (nodes: Nodes, visitor: Visitor) => Promise<Redeem>

const refreshing: Obtain = async ({ first, post }, visitor) => {
  const { clientId, refreshToken } = await obtainTokens(first.gatewayUrl, first.ana, { visitor })
  const fields = { grant_type: 'refresh_token', client_id: clientId, refresh_token: refreshToken }
  return (node) => post(node, { path: '/oauth/token', fields })
}

const redeeming: Obtain = async ({ first, post }, visitor) => {
  const { gatewayUrl, ana } = first
  const { clientId, code, verifier, redirectUri, resource } = await obtainCode(gatewayUrl, ana, { visitor })
  const named = { grant_type: 'authorization_code', client_id: clientId, redirect_uri: redirectUri }
  return (node) => post(node, { path: '/oauth/token', fields: { ...named, code, code_verifier: verifier, resource } })
}

const device: Obtain = async ({ first, post }, visitor) => {
  const { gatewayUrl } = first
  const metadata = { grant_types: [deviceGrant, 'refresh_token'], response_types: [], redirect_uris: [] }
  const client_id = String((await register(gatewayUrl, metadata)).body['client_id'])
  const resource = `${gatewayUrl}/servers/books/mcp`
  const { body } = await post(0, { path: '/oauth/device', fields: { client_id, resource, scope: 'mcp' } })
  let page = await visitor.open(`${gatewayUrl}/device?user_code=${String(body['user_code'])}`)
  if (!page.text.includes('name="answer"')) page = await visitor.submit(page, { user_code: String(body['user_code']) })
  await visitor.submit(page, { answer: 'allow' })
  const fields = { grant_type: deviceGrant, client_id, device_code: String(body['device_code']) }
  return (node) => post(node, { path: '/oauth/token', fields })
}

describe.each([
  ['SQLite', freshSqlite, stallSqlite],
  ['PostgreSQL', freshPostgres, stallPostgres],
] as const)('a node that is killed while it writes what it would answer (%s)', (_name, freshUrl, stallAt) => {
  test(
    'has used nothing up: the other node answers, once',
    async () => {
      const url = await freshUrl()
      const nodes = await startNodes({ CASTELLAN_DATABASE__URL: url })
      onTestFinished(() => nodes.end())
      const stall = await stallAt(url)
      const visitor = createVisitor(nodes.first.gatewayUrl)
      for (const obtain of [refreshing, redeeming, device]) {
        const use = await obtain(nodes, visitor)
        await stall.begin()
        const cut = use(1)
        await stall.reached()
        const restarted = nodes.killSecond()
        expect((await cut).status).toBe(0)
        await stall.end()
        const answered = await use(0)
        expect([obtain.name, answered.status, answered.body['error']]).toEqual([obtain.name, 200, undefined])
        await restarted
        expect([obtain.name, (await use(1)).body['error']]).toEqual([obtain.name, 'invalid_grant'])
      }
    },
    mostMs,
  )

  test(
    'answers one of many that come to both at the same moment',
    async () => {
      const nodes = await startNodes({ CASTELLAN_DATABASE__URL: await freshUrl() })
      onTestFinished(() => nodes.end())
      const visitor = createVisitor(nodes.first.gatewayUrl)
      const refresh = await refreshing(nodes, visitor)
      const answers = await Promise.all(Array.from({ length: 12 }, (_, at) => refresh(at % 2)))
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      expect(answers.filter(({ body }) => body['error'] === 'invalid_grant')).toHaveLength(11)

      const use = await redeeming(nodes, visitor)
      const redeemed = await Promise.all(Array.from({ length: 12 }, (_, at) => use(at % 2)))
      // WHY: a code that comes twice ends what it gave, and that may be before its first answer leaves.
      expect(redeemed.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1)
      expect(redeemed.filter(({ status, body }) => status !== 200 && body['error'] !== 'invalid_grant')).toEqual([])
    },
    mostMs,
  )
})
