/**
 * What does the client that is built in say of itself? That it asks by the device flow and has no secret.
 * Stops: a secret in a program that everybody has; any other way to a code. Trusts: nothing.
 * Fails: never; it is a constant.
 * @see RFC 8628; RFC 8252, section 8.5
 */
import type { AdapterPayload } from 'oidc-provider'
import { terminalClient } from '../oauth/resources.ts'

/** Metadata of the `castellan` program, in the words of RFC 7591. */
export const builtInClient = {
  client_id: terminalClient,
  client_name: 'Castellan in a terminal',
  redirect_uris: [],
  response_types: [],
  grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
  token_endpoint_auth_method: 'none',
  application_type: 'native',
} satisfies AdapterPayload
