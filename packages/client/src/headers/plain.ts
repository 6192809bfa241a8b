import type { HeaderList } from './header-list.ts'
import { readReset } from './instants.ts'
import { type LimitReading, readCount } from './limit-reading.ts'
import { readPolicies } from './structured.ts'

type Field = 'limit' | 'remaining' | 'reset'
type Fields = Partial<Record<Field, string>>

/** `RateLimit-Limit`, `X-RateLimit-Limit`, and by unit `x-ratelimit-limit-tokens` (OpenAI). */
const FIELD_FIRST = /^(x-)?rate-?limit-(limit|remaining|reset)(?:-(.{1,64}))?$/
/** `anthropic-ratelimit-tokens-limit`, `x-ratelimit-requests-limit`. */
const UNIT_FIRST = /^(?:x-|anthropic-)?rate-?limit-(.{1,64})-(limit|remaining|reset)$/

/**
 * Reads the limits that have a header for each number: the trio of drafts 00 to 06, `x-ratelimit-*`, and those of OpenAI and
 * Anthropic.
 *
 * @param ahead by how many milliseconds the server's clock is ahead of this process's clock
 */
export function readPlain(headers: HeaderList, now: number, ahead: number): LimitReading[] {
  const { trio, legacy, units } = collect(headers)
  const rows: LimitReading[] = []
  const put = (policy: string, { limit, remaining, reset }: Fields): void => {
    const [first, ...others] = limit?.split(',') ?? []
    const most = readCount(first?.split(';')[0])
    const row = {
      policy,
      limit: most,
      remaining: readCount(remaining),
      resetAtMs: readReset(reset, now, ahead),
      window: windowOf(headers, others, most),
    }
    if (row.limit !== undefined || row.remaining !== undefined || row.resetAtMs !== undefined) rows.push(row)
  }
  // Some servers send both. They are one limit.
  if (Object.keys(trio).length > 0) put('default', trio)
  else if (Object.keys(legacy).length > 0) put(headers.get('x-ratelimit-resource') ?? 'default', legacy)
  for (const [unit, fields] of units) put(unit, fields)
  return rows
}

function collect(headers: HeaderList): { trio: Fields; legacy: Fields; units: Map<string, Fields> } {
  const trio: Fields = {}
  const legacy: Fields = {}
  const units = new Map<string, Fields>()
  const unit = (name: string): Fields => {
    const known = units.get(name)
    if (known !== undefined) return known
    const fresh: Fields = {}
    units.set(name, fresh)
    return fresh
  }
  for (const [name, value] of headers) {
    const [, x, field, suffix] = FIELD_FIRST.exec(name) ?? []
    if (field !== undefined) {
      // Discord writes the seconds from now as `x-ratelimit-reset-after`, which is exact on every clock.
      if (suffix === 'after' && field === 'reset') legacy.reset = value
      else if (suffix !== undefined) unit(suffix)[field as Field] = value
      else if (x === undefined) trio[field as Field] = value
      else legacy[field as Field] ??= value
      continue
    }
    const [, named, part] = UNIT_FIRST.exec(name) ?? []
    if (named !== undefined) unit(named)[part as Field] = value
  }
  return { trio, legacy, units }
}

/** The window of a limit in seconds: from `RateLimit-Policy: 100;w=60`, or from `RateLimit-Limit: 100, 100;w=60`. */
function windowOf(
  headers: HeaderList,
  others: readonly string[],
  limit: number | undefined,
): number | undefined {
  if (limit === undefined) return undefined
  const listed = others.length === 0 ? [] : readPolicies(new Map([['ratelimit-policy', others.join(',')]]))
  return [...readPolicies(headers), ...listed].find(policy => policy.limit === limit)?.window
}
