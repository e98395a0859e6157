import { expect, test } from 'vitest'
import { plainContents, readGrant } from './document.ts'

const role = (name: string) => ({ name, description: '', grants: [], isShipped: false })
const file = (name: string) => ({ name, text: name })

test('contents have one order, and nothing that does not belong to them', () => {
  const contents = {
    roles: [{ ...role('b'), owner: 'ana', updatedAt: 1 }, role('a'), role('c')],
    files: [{ ...file('z.cedar'), path: '/z' }, file('a.cedar')],
    tests: [file('t2.yaml'), file('t1.yaml'), file('t3.yaml')],
  }
  const plain = plainContents(contents)
  expect(plain).toStrictEqual({
    roles: [role('a'), { ...role('b'), owner: 'ana' }, role('c')],
    files: [file('a.cedar'), file('z.cedar')],
    tests: [file('t1.yaml'), file('t2.yaml'), file('t3.yaml')],
  })
  expect(JSON.stringify(plain)).toBe(JSON.stringify(plainContents(plain)))
  expect(contents.roles.map(({ name }) => name)).toEqual(['b', 'a', 'c'])
})

test('a grant that is kept holds lists of texts and nothing that is not known', () => {
  const grant = { permissions: ['tools:call'], resources: ['bank'] }
  expect(readGrant(grant)).toEqual(grant)
  expect(readGrant({ ...grant, when: 'true', stepUp: true })).toEqual({ ...grant, when: 'true', stepUp: true })
  for (const bad of [
    null,
    undefined,
    'grant',
    [],
    {},
    { permissions: ['tools:call'] },
    { resources: ['bank'] },
    { ...grant, permissions: 'tools:call' },
    { ...grant, permissions: ['tools:call', 1] },
    { ...grant, resources: [1] },
    { ...grant, resources: { length: 0 } },
    { ...grant, until: 1 },
    { ...grant, stepUp: false },
  ])
    expect(() => readGrant(bad), JSON.stringify(bad)).toThrow(Error)
})
