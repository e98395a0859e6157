/** A small text that somebody keeps. */
export interface Note {
  readonly id: string
  readonly title: string
  readonly text: string
}

/** What the tools answer with: text for people, the same as data for programs. */
export interface ToolAnswer {
  readonly text: string
  readonly data: Record<string, unknown>
  readonly isError?: boolean
}

const seeds: readonly Note[] = [
  { id: 'welcome', title: 'Welcome', text: 'This note was read through Castellan.' },
  { id: 'gate', title: 'The gate', text: 'Every call carries a verified person, a decision and a record.' },
  { id: 'groceries', title: 'Groceries', text: 'Bread, milk, two lemons.' },
]

const id = { type: 'string', minLength: 1, maxLength: 64, description: 'The id of the note, as list_notes shows it' }
const noteSchema = {
  type: 'object',
  properties: { id: { type: 'string' }, title: { type: 'string' }, text: { type: 'string' } },
  required: ['id', 'title', 'text'],
}

/** The tools as `tools/list` shows them. */
export const toolDefinitions = [
  {
    name: 'list_notes',
    title: 'List notes',
    description: 'Lists the id and title of every note.',
    inputSchema: { type: 'object', properties: {}, additionalProperties: false },
    outputSchema: {
      type: 'object',
      properties: {
        notes: {
          type: 'array',
          items: {
            type: 'object',
            properties: { id: { type: 'string' }, title: { type: 'string' } },
            required: ['id', 'title'],
          },
        },
      },
      required: ['notes'],
    },
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
  {
    name: 'read_note',
    title: 'Read a note',
    description: 'Returns the title and text of one note.',
    inputSchema: { type: 'object', properties: { id }, required: ['id'], additionalProperties: false },
    outputSchema: noteSchema,
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
  {
    name: 'create_note',
    title: 'Create a note',
    description: 'Keeps a new note and returns it with its id. Notes are kept until the server ends.',
    inputSchema: {
      type: 'object',
      properties: {
        title: { type: 'string', minLength: 1, maxLength: 200, description: 'A short title' },
        text: { type: 'string', maxLength: 10_000, description: 'What the note says' },
      },
      required: ['title', 'text'],
      additionalProperties: false,
    },
    outputSchema: noteSchema,
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  },
  {
    name: 'delete_note',
    title: 'Delete a note',
    description: 'Deletes one note for good.',
    inputSchema: { type: 'object', properties: { id }, required: ['id'], additionalProperties: false },
    outputSchema: { type: 'object', properties: { deleted: { type: 'string' } }, required: ['deleted'] },
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  },
] as const

const maxNotes = 1000

interface Rule {
  readonly minLength?: number
  readonly maxLength: number
}

function textProblem(given: Record<string, unknown>, rules: Record<string, Rule>): string | undefined {
  const extra = Object.keys(given).find((name) => !Object.hasOwn(rules, name))
  if (extra !== undefined) return `unknown argument ${JSON.stringify(extra)}`
  for (const [name, { minLength = 0, maxLength }] of Object.entries(rules)) {
    const value = given[name]
    if (typeof value !== 'string') return `${name} must be text`
    if (value.length < minLength || value.length > maxLength)
      return `${name} must have ${minLength} to ${maxLength} characters`
  }
  return undefined
}

/** The notes of one server, in memory, with the tools over them. */
export class Notebook {
  readonly #notes = new Map<string, Note>(seeds.map((note) => [note.id, note]))
  #nextNumber = 1

  /** @returns undefined when there is no such tool */
  call(tool: string, given: Record<string, unknown>): ToolAnswer | undefined {
    const rules = rulesOf(tool)
    if (rules === undefined) return undefined
    const problem = textProblem(given, rules)
    if (problem !== undefined) return { text: problem, data: {}, isError: true }
    if (tool === 'list_notes') return this.#list()
    if (tool === 'create_note') return this.#create(String(given['title']), String(given['text']))
    const note = this.#notes.get(String(given['id']))
    if (note === undefined) return { text: `there is no note ${JSON.stringify(given['id'])}`, data: {}, isError: true }
    if (tool === 'read_note') return { text: `${note.title}\n\n${note.text}`, data: { ...note } }
    this.#notes.delete(note.id)
    return { text: `deleted ${note.id}`, data: { deleted: note.id } }
  }

  /** Every note in full, as one text. */
  all(): string {
    return [...this.#notes.values()].map(({ id: key, title, text }) => `# ${title} (${key})\n${text}\n`).join('\n')
  }

  #list(): ToolAnswer {
    const notes = [...this.#notes.values()].map(({ id: key, title }) => ({ id: key, title }))
    return { text: notes.map((note) => `${note.id}: ${note.title}`).join('\n'), data: { notes } }
  }

  #create(title: string, text: string): ToolAnswer {
    if (this.#notes.size >= maxNotes) return { text: 'the notebook is full', data: {}, isError: true }
    const note = { id: `note-${this.#nextNumber++}`, title, text }
    this.#notes.set(note.id, note)
    return { text: `created ${note.id}`, data: { ...note } }
  }
}

function rulesOf(tool: string): Record<string, Rule> | undefined {
  if (tool === 'list_notes') return {}
  if (tool === 'create_note') return { title: { minLength: 1, maxLength: 200 }, text: { maxLength: 10_000 } }
  return tool === 'read_note' || tool === 'delete_note' ? { id: { minLength: 1, maxLength: 64 } } : undefined
}
