import { runChild } from '../child.ts'
import type { Effort } from '../memory.ts'
import { figure, type Section, type Target } from '../report.ts'
import type { MixedRun, Tally } from './mixed-run.ts'

const GUARDS = ['none', 'static 60', '@fastify/under-pressure', 'halt'] as const
const COLD_GUARDS = ['none', 'static 4', '@fastify/under-pressure', 'halt'] as const

/** Shares of requests to another route, and how long that takes. */
const SCENES = [
  { name: '0.5 % hang', share: 0.005, ms: 'never', ask: 100 },
  { name: '2 % hang', share: 0.02, ms: 'never', ask: 100 },
  { name: '20 % hang', share: 0.2, ms: 'never', ask: 100 },
  { name: '10 % take 2 s', share: 0.1, ms: '2000', ask: 100 },
  { name: '2 % take 8 s', share: 0.02, ms: '8000', ask: 100 },
  { name: 'all take 5 s', share: 1, ms: '5000', ask: 20 },
] as const

/** A healthy process with slow and hanging routes, and a surge on new connections, beside other guards in the same run. */
export async function mixed({ quick }: Effort): Promise<Section> {
  const rows = new Map<string, string[]>()
  const targets: Target[] = []
  const note = (guard: string, cell: string): void =>
    void rows.set(guard, [...(rows.get(guard) ?? [guard]), cell])
  for (const { name, share, ms, ask } of SCENES) {
    const args = [GUARDS.join(), 'mixed', String(share), ms, quick ? '2000' : '14000', String(ask)]
    const runs = await runChild<Record<string, MixedRun>>('overload/mixed-run.js', args)
    for (const guard of GUARDS) note(guard, cellOf(runs[guard]!))
    const { others, last } = runs['halt']!
    targets.push(atMost(`others refused: ${name}`, 1, (100 * others.refused) / others.offered, '%'))
    if (!quick)
      targets.push(
        atMost(`others refused after ten seconds: ${name}`, 0, (100 * last.refused) / last.offered, '%'),
      )
  }
  for (const times of [3, 10]) {
    const args = [COLD_GUARDS.join(), 'cold', String(times), quick ? '1000' : '6000']
    const runs = await runChild<Record<string, MixedRun>>('overload/mixed-run.js', args)
    for (const [i, guard] of COLD_GUARDS.entries()) note(GUARDS[i]!, coldCellOf(runs[guard]!))
    const { others, critical, last } = runs['halt']!
    targets.push(atMost(`late on new connections, ${times} ×`, 5, (100 * others.late) / others.offered, '%'))
    targets.push(
      atMost(`critical not answered, ${times} ×`, 3, 100 - (100 * critical.good) / critical.offered, '%'),
    )
    targets.push(atMost(`not answered after it, ${times} ×`, 2, 100 - (100 * last.good) / last.offered, '%'))
  }
  return {
    name: 'overload-mixed',
    title: 'Overload: slow and hanging routes beside quick ones, and new connections',
    head: [
      '',
      ...SCENES.map(({ name }) => `${name}: others refused / after 10 s`),
      ...[3, 10].map(times => `new connections, ${times} ×: in time / late / critical / after`),
    ],
    rows: [...rows.values()],
    targets,
    notes: [
      'Healthy: 100 requests a second, of a fifth of a millisecond of the processor and a wait of 10 ms; some go to another route, which hangs or takes long. The four servers run side by side. Where all take 5 s, 20 come a second.',
      'New connections: handlers of 5 ms; an agent opens up to 300 connections and leaves after a second; 5 % or less are critical. In time: answers with 200, a second. After: answers in the three seconds after the surge. The servers take turns.',
      'The static limit is 60, and 4 for new connections; it frees a place with the answer, so it does not see handlers that use the processor.',
    ],
  }
}

function cellOf({ others, last }: MixedRun): string {
  return `${others.refused} of ${others.offered} / ${last.refused}`
}

function coldCellOf({ others, critical, last, seconds }: MixedRun): string {
  const percent = ({ offered }: Tally, count: number): string => `${figure((100 * count) / offered)} %`
  return [
    `${figure(others.good / seconds)}/s`,
    percent(others, others.late),
    percent(critical, critical.good),
    percent(last, last.good),
  ].join(' / ')
}

function atMost(what: string, bound: number, measured: number, unit: Target['unit']): Target {
  return { what, bound, measured, unit, rule: 'most' }
}
