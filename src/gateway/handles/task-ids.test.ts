import { expect, test } from 'vitest'
import type { Principal } from '#kernel'
import { createKeyring } from '#secrets'
import { createTaskIds, mostTasksPerHolder } from './task-ids.ts'

const sealer = createKeyring({ rootKey: Buffer.alloc(32, 7) })
const at = (id: string, serverName = 'books') => ({ principal: { id } as Principal, serverName })

test('a task has one id for its person, and opens for nobody else and nowhere else', () => {
  const ids = createTaskIds(sealer)
  const task = ids.give(at('ben'), 'raw', 'echo')
  expect(ids.give(at('ben'), 'raw', 'echo')).toBe(task)
  expect(ids.open(at('ben'), task.id)).toBe(task)
  expect(ids.open(at('eve'), task.id)).toBeUndefined()
  expect(ids.open(at('ben', 'twin'), task.id)).toBeUndefined()
  expect(ids.give(at('eve'), 'raw', 'echo').id).not.toBe(task.id)
})

test('a task that another process gave out opens, and is known from then on', () => {
  const { id } = createTaskIds(sealer).give(at('ben'), 'raw', 'echo')
  const ids = createTaskIds(sealer)
  expect(ids.find(at('ben'), 'raw')).toBeUndefined()
  expect(ids.open(at('ben'), id)).toEqual({ id, upstreamId: 'raw', tool: 'echo' })
  expect(ids.find(at('ben'), 'raw')?.id).toBe(id)
})

test('an id that the server uses again for another tool is another task', () => {
  const ids = createTaskIds(sealer)
  const first = ids.give(at('ben'), 'raw', 'echo')
  expect(ids.give(at('ben'), 'raw', 'slow')).toMatchObject({ tool: 'slow' })
  expect(ids.open(at('ben'), first.id)?.tool).toBe('echo')
})

test('as many tasks of a person are known as the limit says; one more pushes out their own oldest', () => {
  const ids = createTaskIds(sealer)
  ids.give(at('eve'), 'hers', 'echo')
  for (let count = 0; count < mostTasksPerHolder; count += 1) ids.give(at('ben'), `raw-${count}`, 'echo')
  expect(ids.find(at('ben'), 'raw-0')).toBeDefined()
  ids.give(at('ben'), 'one-more', 'echo')
  expect(ids.find(at('ben'), 'raw-0')).toBeUndefined()
  expect([ids.find(at('ben'), 'one-more'), ids.find(at('eve'), 'hers')]).not.toContain(undefined)
})
