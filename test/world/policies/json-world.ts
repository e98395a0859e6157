import type { CedarValueJson, EntityJson, Expr, PolicyJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs'

/** A request in Cedar's JSON form. */
export interface JsonRequest {
  readonly principal: TypeAndId
  readonly action: TypeAndId
  readonly resource: TypeAndId
  readonly context: Record<string, CedarValueJson>
}

/** Rules, what is known of entities, and requests, all in Cedar's JSON form. */
export interface JsonWorld {
  readonly policies: readonly { readonly id: string; readonly json: PolicyJson }[]
  readonly entities: readonly EntityJson[]
  readonly requests: readonly JsonRequest[]
}

export type { CedarValueJson, EntityJson, Expr, PolicyJson, TypeAndId }
