import { z } from 'zod'
import { configShape } from './schema.ts'

/** The file's keys as JSON Schema 2020-12, for editors. Rules between keys are checked at the start only. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  const { required: _derived, ...schema } = z.toJSONSchema(configShape, {
    io: 'input',
    // WHY: our own marks (`isSecret`, `isPath`) mean nothing to an editor, and strict ones warn of them.
    override: ({ jsonSchema }) => {
      delete jsonSchema['isSecret']
      delete jsonSchema['isPath']
    },
  })
  return { title: 'castellan.yaml', ...schema }
}
