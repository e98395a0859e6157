import { expect, test } from 'vitest'
import { refuseFolder } from './drafts.ts'

const says = (problem: Parameters<typeof refuseFolder>[0]) => refuseFolder(problem).says

test('the first problem of a folder is told with its place, as far as it is known', () => {
  const bare = says({ says: 'no colon' })
  expect(bare).toContain('no colon')
  expect(says({ says: 'no colon', file: 'a.cedar' })).toBe(bare.replace('no colon', 'a.cedar:1:1: no colon'))
  expect(says({ says: 'no colon', file: 'a.cedar', line: 7 })).toBe(bare.replace('no colon', 'a.cedar:7:1: no colon'))
  expect(says({ says: 'no colon', file: 'a.cedar', line: 7, column: 3 })).toBe(
    bare.replace('no colon', 'a.cedar:7:3: no colon'),
  )
  expect(says(undefined)).toBe(bare.replace('no colon', ''))
})
