import { runChild } from '../child.ts'
import { median } from '../cpu.ts'
import type { Effort } from '../memory.ts'
import { figure, type Section } from '../report.ts'
import { startServer } from '../server.ts'
import { commandsPerCheck } from './commands.ts'
import { timeToBlock } from './fleet.ts'

const PROCESSES = 16
const SCENES = [
  ['address', 'none', 'by address, without control'],
  ['address', 'networks', 'by address, 10 000 networks blocked'],
  ['address', 'overrides', 'by address, 10 000 customers with numbers of their own'],
  ['user', 'none', 'by user, without control'],
  ['user', 'users', 'by user, 10 000 users blocked'],
  ['user', 'overrides', 'by user, 10 000 customers with numbers of their own'],
] as const

interface Replayed {
  readonly cpu: number
  readonly mb: number
  readonly seconds: number
}

/** Measures what the entries of operators cost a check, how fast they reach all processes, and the replay of a long log. */
export async function control({ quick }: Effort): Promise<Section> {
  const rounds = quick ? 1 : 7
  const steps = quick ? 5_000 : 1_000_000
  const checks = new Map<string, number[]>()
  const lookups: { within: number; outside: number }[] = []
  for (let round = 0; round < rounds; round++) {
    for (const [by, kind] of SCENES) {
      const { nanos } = await runChild<{ nanos: number }>('control/check-run.js', [kind, by, String(steps)])
      checks.set(`${by} ${kind}`, [...(checks.get(`${by} ${kind}`) ?? []), nanos])
    }
    lookups.push(await runChild('control/lookup-run.js', [String(steps)]))
  }
  const of = (by: string, kind: string): number => median(checks.get(`${by} ${kind}`) ?? [])
  const ratio = (by: string, kind: string): number => of(by, kind) / of(by, 'none')
  const server = await startServer()
  const blocks: number[] = []
  const commands = { without: 0, with: 0 }
  try {
    for (let round = 0; round < (quick ? 1 : 5); round++)
      blocks.push(await timeToBlock(server.url, quick ? 2 : PROCESSES, `block-${round}:`))
    commands.without = await commandsPerCheck(server.url, false)
    commands.with = await commandsPerCheck(server.url, true)
  } finally {
    await server.stop()
  }
  const lines = quick ? 20_000 : 10_000_000
  const replay = await runChild<Replayed>('control/replay-run.js', [String(lines)])
  return {
    name: 'control',
    title: 'Control: CPU ns a check in memory with 10 000 entries of operators',
    head: ['', 'ns a check', 'to the same check without control'],
    rows: SCENES.map(([by, kind, title]) => [
      title,
      figure(of(by, kind)),
      kind === 'none' ? '–' : `${ratio(by, kind).toFixed(2)} ×`,
    ]),
    targets: [
      ...SCENES.filter(([, kind]) => kind !== 'none').map(([by, kind, title]) => ({
        what: `a check ${title}, to one without`,
        rule: 'most' as const,
        bound: 1.05,
        measured: ratio(by, kind),
        unit: '×' as const,
      })),
      {
        what: 'commands of Redis a check more with control',
        rule: 'most',
        bound: 0,
        measured: commands.with - commands.without,
        unit: 'commands',
      },
      {
        what: 'a look-up of an address in one of 10 000 networks',
        rule: 'most',
        bound: 200,
        measured: median(lookups.map(({ within }) => within)),
        unit: 'ns',
      },
      {
        what: 'a look-up of an address in none of them',
        rule: 'most',
        bound: 200,
        measured: median(lookups.map(({ outside }) => outside)),
        unit: 'ns',
      },
      {
        what: `a block holds in ${PROCESSES} processes, the slowest of ${blocks.length} rounds`,
        rule: 'most',
        bound: 1.5,
        measured: Math.max(...blocks),
        unit: 's',
      },
      {
        what: 'halt replay, 10 million lines: CPU',
        rule: 'most',
        bound: 60,
        measured: replay.cpu,
        unit: 's',
      },
      {
        what: 'halt replay, 10 million lines: memory',
        rule: 'most',
        bound: 300,
        measured: replay.mb,
        unit: 'MB',
      },
    ],
    notes: [
      `Median of ${rounds} rounds of ${steps} checks of one hot client, a fresh process each, in turns. No entry concerns the client.`,
      `A block reached ${PROCESSES} processes on one Redis after ${blocks.map(seconds => `${seconds.toFixed(2)} s`).join(', ')}.`,
      `The log has 100 000 clients and one policy, and \`halt replay\` also tries five other limits. It took ${figure(replay.seconds)} s.`,
    ],
  }
}
