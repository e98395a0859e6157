import { checklist, type Guard } from '../../src/gateway/checklist.ts'

interface Start {
  readonly address: string
}

declare const learnsName: Guard<Start, { readonly name: string }>
declare const learnsNameAgain: Guard<Start, { readonly name: string }>

checklist<Start>().must(learnsName)
checklist<Start>().must(learnsName).must(learnsNameAgain)
