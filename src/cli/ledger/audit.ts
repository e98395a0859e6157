import type { Command } from 'commander'
import type { CommandPlug } from '../command.ts'
import type { Invocation } from '../invocation.ts'
import { listEntries, showEntry, tailEntries, type FilterOptions, type TailOptions } from './read-entries.ts'
import { type AskedWitness, askWitness } from './ask-witness.ts'
import { type AskedCheck, checkProof, proveEntry, proveGrowth, showCheckpoint } from './prove-entries.ts'
import { verifyFolder } from './verify-folder.ts'

function withFilters(command: Command): Command {
  return command
    .option('--event <name>', 'only this event, e.g. call.completed')
    .option('--person <name>', 'only what this person did')
    .option('--exchange <id>', 'only this exchange')
    .option('--refusal <code>', 'only this refusal')
}

function declareTail(command: Command, open: () => Invocation): void {
  withFilters(
    command
      .command('tail')
      .description('the newest entries; on a terminal it waits for more until Ctrl-C')
      .option('--lines <count>', 'how many to begin with', '10')
      .option('--follow', 'wait for more (default on a terminal)')
      .option('--no-follow', 'stop after the newest'),
  ).action((options: TailOptions) => tailEntries(open(), options))
}

const outOption = ['--out <file>', 'write it there instead of to stdout'] as const

function declareProofs(command: Command, open: () => Invocation): void {
  command
    .command('checkpoint')
    .description('the newest signed head; keep it elsewhere, and the past cannot be rewritten unseen')
    .option(...outOption)
    .action((options: { out?: string }) => showCheckpoint(open(), options))
  command
    .command('proof')
    .argument('<seq>', 'number of an entry')
    .description('what shows anybody that an entry is in the ledger, the entry included (C2SP tlog-proof)')
    .option(...outOption)
    .action((seq: string, options: { out?: string }) => proveEntry(open(), seq, options))
  command
    .command('consistency')
    .argument('<checkpoint>', 'file that `castellan audit checkpoint --out` wrote')
    .description('what shows that the ledger only grew since a checkpoint')
    .option(...outOption)
    .action((file: string, options: { out?: string }) => proveGrowth(open(), file, options))
  command
    .command('witness')
    .argument('<url>', 'where `castellan witness` listens')
    .description('have the newest signed head cosigned by a witness')
    .requiredOption('--witness-key <file>', 'the line that the witness shows when it starts')
    .option(...outOption)
    .action((url: string, options: AskedWitness) => askWitness(open(), url, options))
}

function declareVerify(command: Command, open: () => Invocation): void {
  command
    .command('verify')
    .description('check the whole ledger in the data folder, or one proof; needs no server')
    .option('--public-key <file>', 'copy of ledger-key.pub that was kept elsewhere')
    .option('--proof <file>', 'check this proof instead')
    .option('--older <file>', 'checkpoint that was seen before, for a proof of consistency')
    .action(({ proof, ...options }: Partial<AskedCheck>) =>
      proof === undefined ? verifyFolder(open(), options) : checkProof(open(), { proof, ...options }),
    )
}

export const audit: CommandPlug = {
  examples: [
    'castellan audit tail',
    'castellan audit list --person bo --limit 20',
    'castellan audit list --refusal policy.not-granted --json',
    'castellan audit show 42',
    'castellan audit verify --data-dir /var/lib/castellan',
    'castellan audit proof 42 --out 42.tlog-proof',
    'castellan audit verify --proof 42.tlog-proof --public-key ledger-key.pub',
  ],
  declare(program, open) {
    const command = program
      .command('audit')
      .description('the ledger: what happened, and the proof that nobody altered it')

    declareTail(command, open)
    withFilters(
      command
        .command('list')
        .description('entries, oldest first')
        .option('--after <seq>', 'only later entries')
        .option('--before <seq>', 'only earlier entries')
        .option('--limit <count>', 'at most so many', '50'),
    ).action((options: FilterOptions) => listEntries(open(), options))
    command
      .command('show')
      .argument('<seq>', 'number of an entry')
      .description('one entry in full')
      .action((seq: string) => showEntry(open(), seq))
    declareProofs(command, open)
    declareVerify(command, open)
  },
}
