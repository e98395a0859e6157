import { z } from 'zod'
import { count, endpoint, list, network, text, yesOrNo } from './fields.ts'

/** Kept as it is written: assertions have to name exactly this. */
const issuer = text.refine(
  (written) => endpoint.safeParse(written).success && !written.includes('?'),
  'expected `https://host/path` or `http://localhost:port/path`, as its assertions write it',
)

/** How OAuth clients come to be known, and how long what they are granted lasts. */
export const oauthSection = z
  .strictObject({
    accessTokenMinutes: count(1, 1_440)
      .default(60)
      .meta({ description: 'The life of an OAuth access token, in minutes; a client then refreshes it by itself.' }),
    grantDays: count(1, 365).default(30).meta({
      description:
        'How long an OAuth client may act before it has to ask its person again, however it refreshes, in days.',
    }),
    registration: z
      .enum(['open', 'approved', 'closed'], 'expected `open`, `approved` or `closed`')
      .default('open')
      .meta({
        description:
          'Whether OAuth clients may register themselves: at once, to be used when an admin has approved them, or not.',
      }),
    registrationsPerHour: count(1, 10_000)
      .default(20)
      .meta({ description: 'How many OAuth clients one address may register in an hour.' }),
    metadataDocuments: yesOrNo.default(true).meta({
      description: 'Whether an OAuth client may be known by the `https` address of its metadata document.',
    }),
    assertionIssuers: list(issuer).default([]).meta({
      description:
        'Identity providers whose assertions about people who sign in by them (ID-JAG) are exchanged for tokens.',
    }),
    metadataNetworks: list(network).default([]).meta({
      description: 'Networks that are not public from which the metadata documents of OAuth clients may be fetched.',
    }),
  })
  .prefault({})
