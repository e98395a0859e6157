import { expect, test } from 'vitest'
import { plainContents } from './document.ts'

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
