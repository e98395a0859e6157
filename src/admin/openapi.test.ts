import { expect, test } from 'vitest'
import { adminRoutes } from './admin-routes.ts'
import { openApiDocument } from './openapi.ts'

interface Operation {
  readonly security: unknown[]
  readonly parameters: { name: string; in: string; required: boolean }[]
  readonly requestBody?: { content: Record<string, { schema: Record<string, unknown> }> }
}

function operations(): Record<string, Record<string, Operation>> {
  return openApiDocument(adminRoutes, '1.2.3', '/api/v1')['paths'] as Record<string, Record<string, Operation>>
}

test('every route is in the document, under its path and method', () => {
  const described = Object.entries(operations()).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const there = adminRoutes.map((route) => `${route.method} /api/v1${route.path.replace(/:(\w+)/g, '{$1}')}`)
  expect(described.sort()).toEqual(there.sort())
})

test('only enrolment and sign-in need no session', () => {
  const open = Object.entries(operations()).filter(([, methods]) =>
    Object.values(methods).some((one) => one.security.length === 0),
  )
  expect(open.map(([path]) => path).sort()).toEqual([
    '/api/v1/enrolments/begin',
    '/api/v1/enrolments/choose',
    '/api/v1/enrolments/finish',
    '/api/v1/sign-in',
  ])
})

test('fields are described as they are judged: required ones, bounds, and no others', () => {
  const hold = operations()['/api/v1/holds']?.['post']?.requestBody?.content['application/json']?.schema
  expect(hold).toMatchObject({ required: ['kind', 'reason'], additionalProperties: false })
  const audit = operations()['/api/v1/audit']?.['get']?.parameters
  expect(audit).toContainEqual(
    expect.objectContaining({
      name: 'limit',
      in: 'query',
      required: false,
      schema: expect.objectContaining({ maximum: 1000 }),
    }),
  )
  const person = operations()['/api/v1/people/{id}']?.['get']?.parameters
  expect(person).toMatchObject([{ name: 'id', in: 'path', required: true }])
})

test('operation ids are words that generated clients can use, each once', () => {
  const ids = Object.values(operations()).flatMap((methods) =>
    Object.values(methods).map((one) => (one as Operation & { operationId: string }).operationId),
  )
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.filter((id) => !/^[a-z][A-Za-z]+$/.test(id))).toEqual([])
})
