/** Every kind of token that has to be refused. */
import { badClaims } from './bad-claims.ts'
import { badHeaders } from './bad-header.ts'
import { badShapes } from './bad-shape.ts'
import { badSignatures } from './bad-signature.ts'
import type { Kind } from './scene.ts'

export const badKinds: readonly Kind[] = [...badShapes, ...badHeaders, ...badSignatures, ...badClaims]
