export { createKeyring } from './keyring.ts'
