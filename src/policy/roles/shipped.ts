/**
 * Which roles come with the program?
 * Stops: a new installation with nobody who can administer it, or with everybody.
 * Trusts: nothing.
 * Fails: nothing here can.
 */
import type { Role } from './role.ts'

type RoleText = Pick<Role, 'name' | 'description' | 'grants' | 'isShipped'>

/** Cannot be changed or removed. */
export const shippedRoles: readonly RoleText[] = [
  {
    name: 'admin',
    description: 'everything, on the data plane and the admin plane',
    grants: [{ permissions: ['*'], resources: ['*'] }],
    isShipped: true,
  },
  {
    name: 'analyst',
    description: 'reads everything on the admin plane and can stop people, tools and upstreams',
    grants: [
      {
        permissions: [
          'people:read',
          'roles:read',
          'upstreams:read',
          'holds:read',
          'holds:write',
          'audit:read',
          'metrics:read',
          'tokens:read',
          'reviews:read',
        ],
        resources: ['castellan'],
      },
    ],
    isShipped: true,
  },
  {
    name: 'viewer',
    description: 'reads people, roles, upstreams and holds',
    grants: [{ permissions: ['people:read', 'roles:read', 'upstreams:read', 'holds:read'], resources: ['castellan'] }],
    isShipped: true,
  },
]

/** For the demo upstream `notes`; an administrator may change or remove them. */
export const demoRoles: readonly RoleText[] = [
  {
    name: 'notes-reader',
    description: 'lists and reads notes of the demo server',
    grants: [
      {
        permissions: ['servers:use', 'tools:call'],
        resources: ['notes', 'notes/tools/list_notes', 'notes/tools/read_note'],
      },
    ],
    isShipped: false,
  },
  {
    name: 'notes-writer',
    description: 'everything the demo server offers',
    grants: [
      {
        permissions: ['servers:use', 'tools:call', 'resources:read', 'prompts:get'],
        resources: ['notes', 'notes/*'],
      },
    ],
    isShipped: false,
  },
]
