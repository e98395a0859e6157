import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { addPerson } from '../../../test/world/policy.ts'
import {
  addAccount,
  codeOf,
  dayMs,
  decide,
  events,
  itemOf,
  must,
  ofRole,
  reading,
  stage,
} from '../../../test/world/reviews/campaigns.ts'
import type { Item, Scope } from './campaign.ts'
import type { EvidenceLine } from './evidence.ts'

eachDatabase('the end of campaigns', (open) => {
  test('close with one draft of what was revoked, and never publish it', async () => {
    const world = await stage(await open(), { fourEyes: false })
    const { policy, root, rex, ria, clock } = world
    const id = await world.begin({ scope: { kinds: ['grant'], roles: ['reader', 'writer'] } })
    const [first, second, writer] = (await world.items(id)) as [Item, Item, Item]
    const before = policy.snapshot().version
    must(await decide(policy, second, rex, 'revoke', 'not needed'))
    const close = async (mayLeaveOpen: boolean) => policy.reviews.campaigns.close({ id, mayLeaveOpen, by: root })
    expect(await close(false)).toMatchObject({
      code: 'review.items-open',
      says: '`2` items of the campaign are not decided',
    })
    expect(codeOf(await policy.reviews.campaigns.export(id))).toBe('review.campaign-open')
    must(await decide(policy, first, rex, 'keep'))
    clock.advance(5)
    const closed = must(await close(true))
    expect(closed).toMatchObject({ state: 'closed', closedAt: clock.now(), closedBy: root.id })
    await policy.refresh()
    expect(policy.snapshot().version).toBe(before)
    const draft = await policy.changes.drafts.find(String(closed.draft))
    expect(draft?.draft).toMatchObject({ state: 'draft', author: root.id, note: 'grants revoked in campaign q3' })
    expect(draft?.items.map(({ name, change }) => [name, change])).toEqual([['reader', 'changed']])
    const reader = draft?.draft.contents.roles.find(({ name }) => name === 'reader')
    expect(reader).toMatchObject({ grants: [reading], owner: ' Ria' })
    const after = await world.items(id)
    expect(after.map(({ state }) => state)).toEqual(['kept', 'revoked', 'unanswered'])
    expect(after[2]?.outcome?.done).toBe('nobody answered, and it stays')
    for (const item of after) expect(codeOf(await decide(policy, item, ria, 'keep'))).toMatch(/closed|own-access/)
    expect(codeOf(await decide(policy, writer, rex, 'revoke'))).toBe('review.campaign-closed')
    expect(codeOf(await close(true))).toBe('review.campaign-closed')
    expect(codeOf(await policy.reviews.campaigns.close({ id: 'none', mayLeaveOpen: true, by: root }))).toBe(
      'review.campaign-unknown',
    )
    const [entry] = await events(world, 'review.closed')
    expect(entry?.details).toMatchObject({
      campaign: id,
      draft: closed.draft,
      sha256: closed.exportHash,
      counts: { kept: 1, revoked: 1, unanswered: 1 },
    })
  })

  test('export what was decided, the same each time, and nothing that was changed from outside', async () => {
    const world = await stage(await open())
    const { policy, database, root, ria, bo, cy } = world
    const id = await world.begin(ofRole)
    const items = await world.items(id)
    must(await decide(policy, itemOf(items, bo), ria, 'revoke', 'left'))
    must(await policy.roles.revoke({ personId: cy.id, role: 'reader', by: root }))
    const closed = must(await policy.reviews.campaigns.close({ id, mayLeaveOpen: true, by: root }))
    const read = async () => {
      const found: EvidenceLine[] = []
      for await (const line of must(await policy.reviews.campaigns.export(id))) found.push(line)
      return found
    }
    const lines = await read()
    expect(lines.map(({ kind }) => kind)).toEqual(['campaign', 'item', 'item', 'item', 'end'])
    const sha256 = createHash('sha256')
    for (const line of lines.slice(0, -1)) sha256.update(`${canonicalize(line) ?? ''}\n`)
    expect(lines.at(-1)).toEqual({ kind: 'end', items: 3, sha256: sha256.digest('hex') })
    expect(closed.exportHash).toBe((lines.at(-1) as { sha256: string }).sha256)
    const states = lines.flatMap((line) => (line.kind === 'item' ? [line.item.state] : []))
    expect(states.toSorted()).toEqual(['gone', 'revoked', 'unanswered'])
    expect(await read()).toEqual(lines)
    expect(codeOf(await policy.reviews.campaigns.export('none'))).toBe('review.campaign-unknown')
    await database.query.updateTable('review_items').set({ reason: 'other' }).where('place', '=', 1).execute()
    await expect(read()).rejects.toMatchObject({ code: 'review.evidence-changed' })
  })

  test('leave what is overdue open, keep it or take it, as was said when they began', async () => {
    const world = await stage(await open())
    const { policy, clock, bo, cy, root, ria } = world
    const robot = await addAccount(world, ria)
    const begin = async (whenDue: 'open' | 'keep' | 'revoke', scope: Partial<Scope>) =>
      world.begin({ whenDue, scope, dueAt: clock.now() + dayMs })
    const open1 = await begin('open', { kinds: ['assignment'], roles: ['reader'] })
    const keep = await begin('keep', { kinds: ['assignment'], people: [cy.id], roles: ['writer'] })
    const take = await begin('revoke', { roles: ['reader', 'admin'] })
    const states = async (id: string) => (await world.items(id)).map(({ state }) => state)
    clock.advance(dayMs - 1)
    await policy.reviews.campaigns.settle()
    expect(await states(take)).not.toContain('revoked')
    const ofBo = itemOf(await world.items(take), bo)
    must(await decide(policy, ofBo, ria, 'keep'))
    clock.advance(1)
    await policy.reviews.campaigns.settle()
    expect(await states(open1)).toEqual(['open', 'open', 'open', 'open'])
    expect(await states(keep)).toEqual(['kept'])
    const [kept] = await world.items(keep)
    expect(kept?.outcome).toEqual({ done: 'nobody answered in time, and so it stays' })
    const takenOfCy = itemOf(await world.items(take), cy)
    expect(takenOfCy.outcome).toEqual({ done: 'nobody answered in time: the role was taken' })
    const decided = (await events(world, 'review.decided')).map(({ details }) => [
      details?.['item'],
      details?.['decision'],
      details?.['outcome'],
    ])
    expect(decided).toContainEqual([kept?.place, 'keep', kept?.outcome])
    expect(decided).toContainEqual([takenOfCy.place, 'revoke', takenOfCy.outcome])
    const told = (await world.items(take)).map(({ kind, personId, role, state, outcome }) => [
      kind,
      personId,
      role,
      state,
      outcome?.refusal,
    ])
    expect(told).toEqual([
      ['assignment', root.id, 'admin', 'unanswered', 'policy.last-admin'],
      ['assignment', bo.id, 'reader', 'kept', undefined],
      ['assignment', cy.id, 'reader', 'revoked', undefined],
      ['assignment', ria.id, 'reader', 'revoked', undefined],
      ['grant', '', 'reader', 'revoked', undefined],
      ['grant', '', 'reader', 'revoked', undefined],
      ['account', robot.id, '', 'revoked', undefined],
    ])
    expect([await policy.roles.of(cy.id), await policy.roles.of(robot.id)]).toEqual([['writer'], []])
    const count = (await events(world, 'review.decided')).length
    await policy.reviews.campaigns.settle()
    expect(await events(world, 'review.decided')).toHaveLength(count)
    const byHand = must(await decide(policy, itemOf(await world.items(open1), bo), ria, 'keep'))
    expect(byHand.state).toBe('kept')
    const closed = must(await policy.reviews.campaigns.close({ id: take, mayLeaveOpen: false, by: root }))
    const draft = await policy.changes.drafts.find(String(closed.draft))
    expect(draft?.draft.contents.roles.find(({ name }) => name === 'reader')?.grants).toEqual([])
  })

  test('take nothing in the name of somebody who lost the right, and nothing that changed', async () => {
    const world = await stage(await open())
    const { policy, database, clock, bo, cy, root } = world
    const ann = await addPerson(database, clock, 'ann', 'admin')
    const due = {
      whenDue: 'revoke' as const,
      dueAt: clock.now() + dayMs,
      scope: { kinds: ['assignment' as const], roles: ['reader'] },
    }
    const ofAnn = await world.begin({ ...due, by: ann })
    const ofRoot = await world.begin({
      ...due,
      scope: { kinds: ['assignment'], people: [bo.id, cy.id], roles: ['reader'] },
    })
    must(await policy.roles.revoke({ personId: ann.id, role: 'admin', by: root }))
    clock.advance(dayMs)
    must(await policy.roles.revoke({ personId: bo.id, role: 'reader', by: root }))
    must(await policy.roles.revoke({ personId: cy.id, role: 'reader', by: root }))
    must(await policy.roles.grant({ personId: cy.id, role: 'reader', by: root }))
    await policy.reviews.campaigns.settle()
    const ended = (await world.items(ofRoot)).map(({ personId, state, outcome }) => [personId, state, outcome])
    const changed = { done: 'it changed since the campaign began' }
    expect(ended).toEqual([
      [bo.id, 'gone', changed],
      [cy.id, 'unanswered', changed],
    ])
    const ria = itemOf(await world.items(ofAnn), world.ria)
    expect(ria).toMatchObject({ state: 'unanswered', outcome: { refusal: 'review.beyond-own-grants' } })
    expect(ria.outcome?.done).toBe('whoever began the campaign may not take it')
    expect(await policy.roles.of(cy.id)).toEqual(['reader', 'writer'])
  })
})
