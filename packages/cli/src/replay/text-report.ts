import { type Colours, printable } from '../io.ts'
import { grouped, ofLines, percent, table } from '../table.ts'
import type { PolicyResult, ReplayResult } from './result.ts'

/** How many keys the text shows of each policy. */
const KEYS = 10

/** Writes the result of a replay as text. @param below the percentage of keys that was asked for */
export function textReport(result: ReplayResult, colours: Colours, below: number | undefined): string[] {
  const { log, requests, refused, exempt, policies, notes } = result
  const { bold, yellow } = colours
  return [
    `${grouped(requests)} requests from ${instant(log.from)} to ${instant(log.to)} (format ${log.format})`,
    `${bold(`${grouped(refused)} refused`)} (${percent(refused, requests)}), ${grouped(exempt)} exempt`,
    ...skipped(log),
    ...farAhead(log),
    ...outOfOrder(log),
    '',
    ...table(
      ['policy', 'limit', 'requests', 'refused', 'share', 'keys', 'refused keys', 'share'],
      policies.map(row),
    ),
    ...policies.flatMap(policy => details(policy, colours, below)),
    ...notes.map(note => `\n${yellow('Note:')} ${printable(note)}`),
  ]
}

function row({ policy, limit, requests, refused, keys, keysRefused }: PolicyResult): string[] {
  return [
    policy,
    limit === undefined ? '' : grouped(limit),
    grouped(requests),
    grouped(refused),
    percent(refused, requests),
    grouped(keys),
    grouped(keysRefused),
    percent(keysRefused, keys),
  ]
}

function details(result: PolicyResult, { bold }: Colours, below: number | undefined): string[] {
  const { policy, keys, requests, mostRefused, limits, smallest } = result
  const lines: string[] = []
  if (mostRefused.length > 0) {
    const rows = mostRefused
      .slice(0, KEYS)
      .map(({ key, refused, requests: asked }) => [printable(key), grouped(refused), grouped(asked)])
    lines.push(
      '',
      bold(`${policy}: the keys with the most refusals`),
      ...table(['key', 'refused', 'of'], rows),
    )
  }
  if (limits.length > 0) {
    const rows = limits.map(({ limit, refused, keysRefused }) => [
      `${grouped(limit)}${limit === result.limit ? ' (now)' : ''}`,
      grouped(refused),
      percent(refused, requests),
      grouped(keysRefused),
      percent(keysRefused, keys),
    ])
    const head = ['limit', 'refused', 'share', 'refused keys', 'share']
    lines.push('', bold(`${policy}: other limits, each alone`), ...table(head, rows))
  }
  if (below !== undefined && limits.length > 0)
    lines.push(
      smallest === undefined
        ? `No limit that was tried refuses fewer than ${below} % of the keys.`
        : `${bold(grouped(smallest))} is the smallest limit that refuses fewer than ${below} % of the keys.`,
    )
  return lines
}

function skipped({ skipped: count, firstSkipped, lines }: ReplayResult['log']): string[] {
  if (count === 0) return []
  const first = `${firstSkipped.join(', ')}${count > firstSkipped.length ? ', …' : ''}`
  return [
    `${grouped(count)} of ${grouped(lines)} lines skipped, because they are cut or of another format: ${first}`,
  ]
}

function farAhead({ farAhead: count }: ReplayResult['log']): string[] {
  if (count === 0) return []
  return [
    `${ofLines(count)} skipped, dated more than a day after the lines around ${count === 1 ? 'it' : 'them'}.`,
  ]
}

function outOfOrder({ outOfOrder: count, mostBehindMs }: ReplayResult['log']): string[] {
  if (count === 0) return []
  const behind = grouped(Math.ceil(mostBehindMs / 1000))
  return [
    `${ofLines(count)} out of order, by at most ${behind} s. ${count === 1 ? 'It' : 'Each'} is decided at the latest instant before it.`,
  ]
}

function instant(ms: number): string {
  return Number.isNaN(ms) ? 'never' : new Date(ms).toISOString().replace('.000Z', 'Z')
}
