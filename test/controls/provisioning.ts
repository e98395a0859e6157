/** What is claimed of directories that provision people. */
export const provisioningControls = {
  'PRV-1': {
    says: 'a directory is known by a token of its own or by an OAuth client with the scope, each of which ends',
    sources: ['ASVS 10.3.1', 'ASVS 7.2.2', 'RFC 7644, section 2', 'G7'],
  },
  'PRV-2': {
    says: 'a directory sees and changes the people and groups that are its own, and gives the roles that are mapped',
    sources: ['ASVS 8.2.2', 'ASVS 8.3.2', 'RFC 7644, section 7', 'G9'],
  },
  'PRV-3': {
    says: 'nothing that a directory sends becomes a query, a property or a load beyond the limits that are told',
    sources: ['ASVS 1.2.4', 'ASVS 1.3.3', 'ASVS 15.3.6', 'RFC 7644, section 7.6'],
  },
  'PRV-4': {
    says: 'whom their directory suspends or takes away has nothing open within a second, and comes back by it alone',
    sources: ['ASVS 7.4.2', 'G9', 'RFC 7643, section 4.1.1'],
  },
  'PRV-5': {
    says: 'an account becomes a provisioned person once, by what its provider signs and made sure of, never an administrator',
    sources: ['ASVS 6.8.1', 'ASVS 10.5.2', 'R24'],
  },
} as const
