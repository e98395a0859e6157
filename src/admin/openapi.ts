import { z } from 'zod'
import type { Route } from './route.ts'

type Json = Record<string, unknown>

const problem = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'hint', 'request_id'],
  properties: {
    type: { const: 'about:blank' },
    title: { type: 'string', description: 'one line for people; may change' },
    status: { type: 'integer' },
    code: { type: 'string', description: 'stable; branch on this' },
    hint: { type: 'string', description: 'what to do next' },
    request_id: { type: 'string', description: 'names the entry in the ledger' },
    retry_after_seconds: { type: 'integer' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: { pointer: { type: 'string' }, detail: { type: 'string' } },
      },
    },
  },
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}

function fieldsOf(schema: z.ZodType): [name: string, schema: unknown, isRequired: boolean][] {
  const { properties, required } = schemaOf(schema, 'input')
  const names = Array.isArray(required) ? required : []
  return Object.entries((properties ?? {}) as Json).map(([name, one]) => [name, one, names.includes(name)])
}

function parameters(route: Route): Json[] {
  const path = fieldsOf(route.schemas.params).map(([name, schema]) => ({ name, in: 'path', required: true, schema }))
  const query = fieldsOf(route.schemas.query).map(([name, schema, required]) => ({
    name,
    in: 'query',
    required,
    schema,
  }))
  return [...path, ...query]
}

function operation(route: Route): Json {
  const hasBody = fieldsOf(route.schemas.body).length > 0
  const isOpen = route.access === 'open'
  return {
    summary: route.summary,
    tags: [route.path.split('/')[1]],
    operationId: `${route.method.toLowerCase()}${route.path.replace(/[/:-]+(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
    security: isOpen ? [] : [{ session: [] }],
    'x-castellan-access': route.access,
    parameters: parameters(route),
    ...(hasBody
      ? {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schemaOf(route.schemas.body, 'input') } },
          },
        }
      : {}),
    responses: {
      [route.status]: {
        description: 'done',
        content: {
          [route.isStream ? 'application/x-ndjson' : 'application/json']: {
            schema: schemaOf(route.schemas.answer, 'output'),
          },
        },
      },
      default: {
        description: 'refused or failed',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  }
}

/** The OpenAPI 3.1 document of the routes, from the same schemas that judge the requests. */
export function openApiDocument(routes: readonly Route[], version: string, apiRoot: string): Json {
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    const path = `${apiRoot}${route.path.replace(/:(\w+)/g, '{$1}')}`
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Castellan admin API',
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas: { Problem: problem },
      securitySchemes: {
        session: { type: 'http', scheme: 'bearer', description: 'session token of /api/v1/sign-in' },
      },
    },
  }
}
