import { checklist, type Guard } from '../../src/gateway/checklist.ts'

interface Start {
  readonly address: string
}

declare const learnsName: Guard<Start, { readonly name: string }>
declare const needsName: Guard<{ readonly name: string }, {}>

checklist<Start>().must(learnsName).must(needsName)
checklist<Start>().must(needsName)
