import { expect, test } from 'vitest'
import { findProofs, gateProofs } from './architecture/proofs.ts'
import { readSource } from './architecture/source.ts'
import { readTree } from './architecture/tree.ts'
import { controls } from './controls.ts'

test('every control has a proof and every proof a control', () => {
  expect(gateProofs(Object.keys(controls), findProofs(readTree().sources))).toEqual([])
})

test('a control without a proof and a proof without a control are named', () => {
  const text = `
    proves('AUT-1', 'one', async () => {})
    proves(['AUT-2', 'XYZ-1'], "proves('AUT-3')", () => {})
    // proves('AUT-4', 'not this', () => {})
    proves(id, 'which', () => {})
  `
  const proofs = findProofs([readSource('test/attacks/a.test.ts', text), readSource('test/a.ts', "proves('AUT-5')")])
  expect(gateProofs(['AUT-1', 'AUT-2', 'AUT-3', 'AUT-4', 'AUT-5'], proofs)).toEqual([
    'AUT-3 has no proof',
    'AUT-4 has no proof',
    'AUT-5 has no proof',
    'test/attacks/a.test.ts:3 proves XYZ-1, which is no control',
    'test/attacks/a.test.ts:5 does not write out the control it proves',
  ])
})

test('a proof in a skipped block proves nothing', () => {
  const proofs = findProofs([
    readSource('test/a.test.ts', "describe.skip('x', () => { proves('AUT-1', 'y', () => {}) })"),
  ])
  expect(gateProofs(['AUT-1'], proofs)).toEqual(['AUT-1 has no proof'])
})

test('every control says what holds and names who asks for it', () => {
  for (const [id, control] of Object.entries(controls)) {
    expect(id).toMatch(/^[A-Z]{3}-\d+$/)
    expect(control.says).toMatch(/^[a-zA-Z].*[^.]$/)
    expect(control.sources.length).toBeGreaterThan(0)
  }
})
