import type { Decision } from '../check/decision.ts'
import type { PolicyVerdict } from '../check/verdict-reader.ts'
import type { FairShare } from './fair-share.ts'
import type { ControlEntry } from '../policy/control-entry.ts'
import { inBraces, type Unreached } from '../policy/reachability.ts'
import type { IdentityKind } from '../request/identity.ts'
import type { CostWait, Explanation, Line } from './explanation.ts'

/** An entry in words: what it does, until when, who made it and why. The texts of operators are quoted. */
function describeEntry({ kind, target, numbers, until, by, reason }: ControlEntry): string {
  const whom = target === undefined ? 'for everybody' : `for ${JSON.stringify(target)}`
  const set = Object.entries(numbers ?? {}).map(([name, value]) => `${name} ${JSON.stringify(value)}`)
  return [
    `${kind} ${whom}${set.length === 0 ? '' : `: ${set.join(', ')}`}`,
    until === undefined ? 'until somebody takes it back' : `until ${timeOf(until)}`,
    ...(by === undefined ? [] : [`by ${JSON.stringify(by)}`]),
    ...(reason === undefined ? [] : [`because ${JSON.stringify(reason)}`]),
  ].join(', ')
}

// An entry that was written by hand may end at an instant that no date can show.
function timeOf(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? 'an instant far away' : date.toISOString()
}

/** Writes an explanation as text, a line for each fact. */
export function write(
  { decision, unreachable, control, hops, policies }: Omit<Explanation, 'toString'>,
  given: string | undefined,
  kind: IdentityKind | undefined,
  unused: readonly string[],
): string {
  const lines = [conclusionOf(decision, unreachable, kind)]
  if (decision !== undefined && decision.degraded !== false)
    lines.push(`  the store did not answer: onStoreError "${decision.degraded}" decided`)
  if (control !== undefined) lines.push(`  by an operator: ${describeEntry(control)}`)
  if (given !== undefined) lines.push(`  from ${JSON.stringify(given)}: given by clientIp`)
  for (const { address, why } of hops) lines.push(`  from ${JSON.stringify(address)}: ${why}`)
  for (const one of policies) {
    const { policy, algorithm, exemption, key, keyFoundBy: how, verdict, waits, line, control: numbers } = one
    // A block stands in the verdict of a policy that has nothing to do with it.
    if (verdict === undefined || control?.kind === 'block') {
      lines.push(`  ${policy} (${algorithm}): not counted${exemption === undefined ? '' : `, ${exemption}`}`)
      continue
    }
    const refuses = verdict.mode === 'shadow' ? 'only reports, would refuse' : 'refuses'
    const until = one.blockedUntil === 0 ? '' : ` until ${instant(one.blockedUntil)}`
    const wait = verdict.allowed
      ? 'passes'
      : `${refuses}: ${verdict.reason}${until}, ${inTime(verdict.retryAfter)}`
    const left = `${leftOf(verdict)}${one.unit === undefined ? '' : ` ${one.unit}`} left${unused.includes(policy) ? ', no requests counted' : ''}`
    lines.push(`  ${policy} (${algorithm}) for ${JSON.stringify(key)} by ${how}: ${left}, ${wait}`)
    const late = waitsInWords(waits)
    if (late.length > 0) lines.push(`    ${late.join(', ')}`)
    if (line !== undefined) lines.push(`    ${lineInWords(line)}`)
    if (one.held > 0) lines.push(`    ${one.held} held by calls that have not ended`)
    if (one.fair !== undefined) lines.push(`    ${shareInWords(one.fair, algorithm)}`)
    for (const entry of numbers) lines.push(`    by an operator: ${describeEntry(entry)}`)
  }
  // An entry that blocks the client or lets it pass holds for all policies, so the lines above list them all.
  for (const { policy, reachedBy } of control === undefined ? unreachable : [])
    lines.push(`  ${policy}: not reachable by ${inBraces(kind as IdentityKind)}; reached by ${reachedBy}`)
  return lines.join('\n')
}

function conclusionOf(
  decision: Decision | undefined,
  unreachable: readonly Unreached[],
  kind: IdentityKind | undefined,
): string {
  const identity = kind === undefined ? '' : inBraces(kind)
  if (decision === undefined) return `Not known: no policy counts requests by ${identity}`
  const outcome = decision.allowed ? 'Allowed' : 'Refused'
  const extent = unreachable.length === 0 ? '' : ` by what ${identity} reaches`
  return `${outcome}${extent}: ${decision.reason}${decision.policy && ` (${decision.policy})`}`
}

// A bucket with a large burst can hold more units than the limit.
function leftOf({ remaining: left, limit }: PolicyVerdict): string {
  return left > limit ? `${left} (limit ${limit})` : `${left} of ${limit}`
}

/** Tells when the costs pass that do not pass now and, if some never do, the largest one that can. */
function waitsInWords(waits: readonly CostWait[]): string[] {
  const ever = waits.filter(({ seconds }) => seconds !== Number.POSITIVE_INFINITY)
  const most = ever.at(-1)?.cost
  const all = most === undefined || ever.length === waits.length
  return [...inWords(all ? waits : ever), ...(all ? [] : [`at most ${most} at once`])]
}

/** Tells the waits of costs in ascending order. Costs of one wait are told together, because all costs between them have it too. */
function inWords(waits: readonly CostWait[]): string[] {
  // Waits that differ by microseconds are told as one.
  const told = waits.map(({ cost, seconds }) => ({ cost, wait: seconds === 0 ? '' : inTime(seconds) }))
  return told.flatMap(({ cost, wait }, i) => {
    if (wait === '' || told[i + 1]?.wait === wait) return []
    const first = told.find(other => other.wait === wait)?.cost
    return `a cost of ${first === cost ? cost : `${first} to ${cost}`} ${wait}`
  })
}

function lineInWords({ units, seconds }: Line): string {
  const [waits, last] = units === 1 ? ['unit waits', 'it'] : ['units wait', 'the last one']
  return `${units} ${waits} in line, ${last} starts in ${seconds} s`
}

function shareInWords({ tenant, weight, ahead, level, isScarce }: FairShare, algorithm: string): string {
  const who = `${JSON.stringify(tenant)}${weight === 1 ? '' : ` (weight ${weight})`}`
  const isPool = algorithm === 'concurrency'
  if (!isScarce) return `fair shares: there is plenty, so nobody waits for a turn, ${who} neither`
  const [gets, had] = isPool
    ? [`may hold ${level} now`, 'would hold']
    : [`gets ${rounded(level)} units a second now`, 'has had']
  const turn = ahead > 0 ? `${had} ${rounded(ahead)} units beyond its share` : 'is within its share'
  return `fair shares: scarce, a tenant of weight 1 ${gets}, ${who} ${turn}`
}

/** To three digits. */
function rounded(amount: number): number {
  return Number(amount.toPrecision(3))
}

function instant(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}

function inTime(seconds: number): string {
  if (seconds === Number.POSITIVE_INFINITY) return 'never passes'
  // Rounded up, so that the wait suffices.
  const told = `passes in ${Math.ceil(seconds * 1000 - 1e-6) / 1000} s`
  return seconds < HOUR ? told : `${told} (${inHours(seconds)})`
}

const HOUR = 3600

/** Days and hours, or hours and minutes, of at least an hour: a person cannot read 152 479 seconds. */
function inHours(seconds: number): string {
  const minutes = Math.ceil(seconds / 60)
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24]
  return days > 0 ? `${days} d ${hours} h` : `${hours} h ${minutes % 60} min`
}
