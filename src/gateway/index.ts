export { createGateway, type Gateway } from './create-gateway.ts'
export type { GatewayRooms, GatewaySettings } from './rooms.ts'
export { gatewayRefusals } from './refusals.ts'
