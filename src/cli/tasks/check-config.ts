import type { LoadedConfig } from '#platform/config'

/**
 * Tries what the schema cannot see: the certificates and the networks that the configuration names.
 * @throws Misuse
 */
export async function checkConfig({ config }: LoadedConfig): Promise<void> {
  const { compileAdmission, readTls } = await import('#platform/http')
  for (const section of ['gateway', 'admin'] as const) {
    const { tlsCertificate: certificate, tlsKey: key, tlsMinVersion: minVersion } = config[section]
    compileAdmission(config[section], section)
    if (certificate !== undefined && key !== undefined) readTls({ certificate, key, minVersion })
  }
}
