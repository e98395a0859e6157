export { describeConfig, type ConfigEntry } from './describe-config.ts'
export { loadConfig, type LoadConfigOptions, type LoadedConfig } from './load-config.ts'
export { type Config, configSchema } from './schema.ts'
