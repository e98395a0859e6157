/** Many clients under the same ids, tokens and cursors, who hang up, come back and steal: nobody is told what is not theirs. */
import { parseArgs } from 'node:util'
import type { Client } from '../cross-talk/client.ts'
import { steal, work } from '../cross-talk/deeds.ts'
import { lanes } from '../cross-talk/lanes.ts'
import { type Scene, withScene } from '../cross-talk/scene.ts'
import type { Proof, ProofOutcome } from './contract.ts'

const shownProblems = 5
const tellEveryMs = 15_000
const theftOneIn = 25
/** Of requests that may be turned away because the gateway is busy. */
const mostTurnedAway = 0.01
/** Of requests, so many sessions may be ended to make room for others of the same person. */
const mostLostSessions = 0.01

interface Plan {
  readonly clients: number
  readonly people: number
  readonly exchanges: number
  readonly seed: number
}

function readPlan(flags: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...flags],
    options: {
      clients: { type: 'string', default: '200' },
      people: { type: 'string', default: '10' },
      exchanges: { type: 'string', default: '100000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    },
  })
  const plan = {
    clients: Number(values.clients),
    people: Number(values.people),
    exchanges: Number(values.exchanges),
    seed: Number(values.seed),
  }
  const isPlan = Object.values(plan).every((figure) => Number.isSafeInteger(figure) && figure > 0)
  if (!isPlan) throw new Error('usage: cross-talk [--clients 200] [--people 10] [--exchanges 100000] [--seed n]')
  return plan
}

/** Somebody else on the same lane. */
function victimOf(thief: Client, clients: readonly Client[], { random }: Scene): Client | undefined {
  const { lane, person } = thief.options
  const others = clients.filter(({ options }) => options.lane === lane && options.person !== person)
  return others.length === 0 ? undefined : random.pick(others)
}

async function act(scene: Scene, plan: Plan, clients: readonly Client[]): Promise<void> {
  const { counts } = scene.findings
  const isOver = (): boolean => counts.exchanges >= plan.exchanges || counts.problems.length > shownProblems
  const live = async (client: Client): Promise<void> => {
    while (!isOver()) {
      const victim = scene.random.oneIn(theftOneIn) ? victimOf(client, clients, scene) : undefined
      await (victim === undefined ? work(client) : steal(client, victim))
    }
  }
  const tell = (): void => console.log(`${counts.exchanges} exchanges, ${counts.problems.length} wrong`)
  const teller = setInterval(tell, tellEveryMs)
  await Promise.all(clients.map(live)).finally(() => clearInterval(teller))
}

async function prove(scene: Scene, plan: Plan): Promise<ProofOutcome> {
  const startedAt = performance.now()
  const clients: Client[] = []
  while (clients.length < plan.clients) clients.push(await scene.client(clients.length))
  await Promise.all(clients.map((client) => client.open()))
  await act(scene, plan, clients)
  const { problems, ...counts } = scene.findings.counts
  for (const problem of problems.slice(0, shownProblems)) console.log(`WRONG: ${problem}`)
  const ledgerVerifies = await scene.stop()
  const isMostlyServed =
    counts.turnedAway <= counts.exchanges * mostTurnedAway && counts.lostSessions <= counts.exchanges * mostLostSessions
  return {
    holds: problems.length === 0 && counts.exchanges >= plan.exchanges && isMostlyServed && ledgerVerifies,
    seconds: Math.round((performance.now() - startedAt) / 1_000),
    ...plan,
    ...counts,
    lanes: lanes.map(({ name }) => name),
    ledgerVerifies,
    problems: problems.length,
  }
}

export const proof: Proof = {
  shows:
    'no answer, notification or handle reaches another person, whatever ids clients use and however they break off',
  async run(flags) {
    const plan = readPlan(flags)
    console.log(`seed ${plan.seed}; ${plan.clients} clients of ${plan.people} people on ${lanes.length} ways`)
    const options = { people: plan.people, connections: plan.clients, seed: plan.seed }
    return withScene(options, (scene) => prove(scene, plan))
  },
}
