import type { Identity } from '#identity'
import type { DataFolder } from '#platform/files'

const fileName = 'setup-link'

/**
 * While there is no administrator: a one-use link, left in the data folder for its owner too.
 * @returns undefined when there is one; a link of before is removed then
 */
export async function leaveSetupLink(
  { identity }: { readonly identity: Pick<Identity, 'enrolments'> },
  dataFolder: Pick<DataFolder, 'remove' | 'writeSecret'>,
  adminUrl: string,
): Promise<string | undefined> {
  const link = await identity.enrolments.ensureSetupLink()
  if (link === undefined) {
    dataFolder.remove(fileName)
    return undefined
  }
  const url = `${adminUrl}/setup#${link.token}`
  dataFolder.writeSecret(fileName, Buffer.from(`${url}\n`))
  return url
}
