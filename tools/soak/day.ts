/** The load of a day, hour by hour, in as little time as there is: few at night, most before and after noon. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '../cross-talk/client.ts'
import { work } from '../cross-talk/deeds.ts'
import type { Scene } from '../cross-talk/scene.ts'

/** Of the most clients of the day. */
const sharesByHour = [
  0.1, 0.05, 0.05, 0.05, 0.05, 0.1, 0.2, 0.4, 0.7, 0.9, 1, 1, 0.7, 0.9, 1, 1, 0.9, 0.7, 0.5, 0.4, 0.3, 0.2, 0.15, 0,
]
const pauseMs = 20

interface Working {
  readonly client: Client
  isOver: boolean
  readonly done: Promise<void>
}

/** The clients that are at work; each comes with a session of its own and leaves with or without ending it. */
export class Crowd {
  readonly #scene: Scene
  readonly #working: Working[] = []
  #numbers = 0

  constructor(scene: Scene) {
    this.#scene = scene
  }

  /** How many ever came. */
  get came(): number {
    return this.#numbers
  }

  async become(size: number): Promise<void> {
    while (this.#working.length < size) await this.#come()
    const leaving = this.#working.splice(size)
    for (const one of leaving) one.isOver = true
    await Promise.all(leaving.map(({ done }) => done))
    const { random } = this.#scene
    // WHY: half of all clients go without a word, as laptops do.
    await Promise.all(leaving.filter(() => random.oneIn(2)).map(({ client }) => client.close()))
  }

  async #come(): Promise<void> {
    const client = await this.#scene.client(this.#numbers)
    this.#numbers += 1
    await client.open()
    const working: Working = { client, isOver: false, done: Promise.resolve() }
    const live = async (): Promise<void> => {
      while (!working.isOver) {
        await work(client)
        await sleep(pauseMs)
      }
    }
    this.#working.push(Object.assign(working, { done: live() }))
  }
}

/** One day; nobody is at work when it ends. @param lengthMs of the day */
export async function liveDay(crowd: Crowd, mostClients: number, lengthMs: number): Promise<void> {
  for (const share of sharesByHour) {
    const endsAt = performance.now() + lengthMs / sharesByHour.length
    await crowd.become(Math.round(share * mostClients))
    await sleep(Math.max(0, endsAt - performance.now()))
  }
}
