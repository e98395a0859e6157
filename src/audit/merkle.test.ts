import { hash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { hashLeaf, TreeEdge } from './merkle.ts'

const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
const roots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

function rootOf(hashes: readonly Uint8Array[]): Uint8Array {
  const [only] = hashes
  if (only === undefined) return hash('sha256', '', 'buffer')
  if (hashes.length === 1) return only
  const split = 2 ** Math.ceil(Math.log2(hashes.length) - 1)
  const sides = [rootOf(hashes.slice(0, split)), rootOf(hashes.slice(split))]
  return hash('sha256', Buffer.concat([Buffer.of(1), ...sides]), 'buffer')
}

test('the roots are those of the certificate transparency test vectors', () => {
  const edge = TreeEdge.empty()
  expect(edge.root().toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  const found = leaves.map((leaf) => {
    edge.append(hashLeaf(Buffer.from(leaf, 'hex')))
    return edge.root().toString('hex')
  })
  expect(found).toEqual(roots)
})

test('the edge agrees with the recursive definition, also when stored and read back in between', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 70 }), fc.nat(70), (texts, restart) => {
      let edge = TreeEdge.empty()
      for (const [index, text] of texts.entries()) {
        if (index === restart) edge = TreeEdge.read(edge.size, edge.bytes()) ?? TreeEdge.empty()
        edge.append(hashLeaf(text))
      }
      expect(edge.root()).toEqual(rootOf(texts.map((text) => hashLeaf(Buffer.from(text)))))
    }),
  )
})

test.each([
  [1, 0],
  [1, 64],
  [3, 32],
  [-1, 0],
  [1.5, 32],
])('an edge of %d leaves is not read from %d bytes', (size, length) => {
  expect(TreeEdge.read(size, Buffer.alloc(length))).toBeUndefined()
})

test('a copy grows by itself', () => {
  const edge = TreeEdge.empty()
  edge.append(hashLeaf('a'))
  const root = edge.root()
  edge.copy().append(hashLeaf('b'))
  expect([edge.size, edge.root()]).toEqual([1, root])
})
