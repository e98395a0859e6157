/**
 * What can be recorded: each room declares its events here, the ledger takes nothing else.
 * Stops: free-text event names that no catalogue lists.
 * Trusts: the rooms, to declare events as constants.
 * Fails: with Misuse at start-up on a name that breaks the form.
 */
import { Misuse } from '#kernel'

/** One kind of entry. */
export interface EventDefinition {
  /** `<room>.<past-tense>`, kebab-case. */
  readonly name: string
  /** One sentence for the catalogue. */
  readonly says: string
}

const form = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*\.[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/

/**
 * @param definition `name` is room first and past tense (`call.intended`)
 * @throws Misuse `audit.event-name` when the name is not `<room>.<past-tense>` in kebab-case
 */
export function defineEvent(definition: EventDefinition): EventDefinition {
  if (!form.test(definition.name) || definition.name.length > 64)
    throw new Misuse(
      'audit.event-name',
      `\`${definition.name}\` is not an event name`,
      'use `<room>.<past-tense>` in kebab-case',
    )
  return Object.freeze({ name: definition.name, says: definition.says })
}

/**
 * The catalogue for the reference: all definitions, by name.
 * @throws Misuse `audit.event-twice` when two rooms declare one name
 */
export function openEvents(...rooms: readonly (readonly EventDefinition[])[]): readonly EventDefinition[] {
  const byName = new Map<string, EventDefinition>()
  for (const definition of rooms.flat()) {
    const known = byName.get(definition.name)
    if (known !== undefined && known !== definition)
      throw new Misuse(
        'audit.event-twice',
        `event \`${definition.name}\` is declared twice`,
        'give one of them another name',
      )
    byName.set(definition.name, definition)
  }
  return [...byName.values()].toSorted((left, right) => (left.name < right.name ? -1 : 1))
}
