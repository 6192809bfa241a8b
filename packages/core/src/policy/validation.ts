import { MOST_UNITS } from '../algorithms/index.ts'
import { parseDuration } from '../base/duration.ts'
import { describe, type HaltErrorCode } from '../base/errors.ts'
import { checkChoice, checkNames, checkType, type Fields, fail, namesOf } from '../base/options-check.ts'
import { KeyStrategy } from '../request/identity.ts'
import { unitsOfShare } from '../store/terms.ts'
import { checkFair } from './fair.ts'
import { checkLease } from './lease.ts'
import { Algorithm, type ConcurrencyPolicy, type PolicyBase, type Quota, type RatePolicy } from './policy.ts'

const NAME = /^[A-Za-z0-9_.-]{1,64}$/
const UNIT = /^[A-Za-z0-9_./-]{1,32}$/
const COMMON = namesOf<PolicyBase>({
  name: true,
  limit: true,
  cost: true,
  counts: true,
  keyStrategy: true,
  keyExtractor: true,
  onMissingKey: true,
  scope: true,
  counter: true,
  exemptions: true,
  exemptPrivateIps: true,
  mode: true,
  onStoreError: true,
  lease: true,
  plan: true,
  unit: true,
})
const RATE = namesOf<Omit<RatePolicy & Pick<ConcurrencyPolicy, 'ttl'>, keyof PolicyBase | 'period'>>({
  window: true,
  ttl: true,
  algorithm: true,
  burst: true,
  precision: true,
  blockDuration: true,
  inFlight: true,
  headroom: true,
  fair: true,
})
const QUOTA = namesOf<Omit<Quota, Exclude<keyof RatePolicy, 'period'>>>({
  period: true,
  timeZone: true,
  anchor: true,
  thresholds: true,
  status: true,
})

/**
 * Checks every field of a policy or quota. An unknown field is an error. A field that is `undefined` counts as absent.
 *
 * @throws HaltError with a code for the field
 */
export function validate(policy: unknown): void {
  if (typeof policy !== 'object' || policy === null || Array.isArray(policy)) {
    fail('HALT_E_POLICY', `A policy is ${describe(policy)}.`, 'Give an object: { name, limit, window }.')
  }
  const fields = policy as Fields
  const isQuota = fields['period'] !== undefined
  if (isQuota && fields['window'] !== undefined)
    fail(
      'HALT_E_WINDOW',
      `The policy ${describe(fields['name'])} has a window beside its period.`,
      'Leave one of them out. For both limits give two policies: policy: [ … ].',
    )
  checkNames(
    fields,
    [...COMMON, ...(isQuota ? [...QUOTA, 'fair'] : RATE)],
    typeof fields['name'] === 'string' ? `The policy "${fields['name']}"` : 'A policy',
  )
  checkName(fields)
  checkUnits(fields, 'limit', 'HALT_E_LIMIT', true)
  checkUnits(fields, 'cost', 'HALT_E_COST')
  checkChoice(fields, 'counts', ['cost', 'requests'], 'HALT_E_COST')
  if (!isQuota) checkRate(fields)
  checkLease(fields)
  checkFair(fields, isQuota)
  checkKey(fields)
  checkRest(fields)
  checkCost(fields, isQuota)
  if (!isQuota) checkReserve(fields)
}

function checkName(fields: Fields): void {
  for (const name of ['name', 'counter']) {
    const value = fields[name]
    if (name === 'counter' && value === undefined) continue
    if (typeof value === 'string' && NAME.test(value)) continue
    fail(
      'HALT_E_POLICY_NAME',
      `${name} is ${describe(value)}.`,
      'Use 1 to 64 letters, digits, "_", "." or "-".',
    )
  }
}

function checkUnits(fields: Fields, name: string, code: HaltErrorCode, required = false): void {
  const value = fields[name]
  if (value === undefined && !required) return
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MOST_UNITS) return
  const hint =
    typeof value === 'string' || Number.isNaN(value)
      ? ' An environment variable needs Number(…) and a value.'
      : ''
  fail(code, `${name} is ${describe(value)}.`, `Give a whole number from 1 to ${MOST_UNITS}.${hint}`)
}

function checkRate(fields: Fields): void {
  checkChoice(fields, 'algorithm', Object.values(Algorithm), 'HALT_E_ALGORITHM')
  const algorithm = (fields['algorithm'] ?? 'token-bucket') as Algorithm
  const [span, other] = algorithm === 'concurrency' ? ['ttl', 'window'] : ['window', 'ttl']
  if (fields[other as string] !== undefined) {
    fail('HALT_E_WINDOW', `${algorithm} does not take ${other}.`, `Give ${span} instead.`)
  }
  if (fields[span as string] === undefined) {
    const means = span === 'ttl' ? ', the longest that a request takes' : ''
    fail('HALT_E_WINDOW', `There is no ${span}.`, `Give ${span}: "1m"${means}.`)
  }
  parseDuration(fields[span as string], span as string, 'HALT_E_WINDOW')
  checkUnits(fields, 'burst', 'HALT_E_BURST')
  if (fields['burst'] !== undefined && algorithm !== 'token-bucket') {
    fail('HALT_E_BURST', `${algorithm} does not take burst.`, 'Leave it out, or use "token-bucket".')
  }
  checkUnits(fields, 'inFlight', 'HALT_E_IN_FLIGHT')
  if (fields['inFlight'] !== undefined && algorithm === 'concurrency') {
    fail(
      'HALT_E_IN_FLIGHT',
      'concurrency does not take inFlight.',
      'Its limit is the number of requests in flight.',
    )
  }
  const { headroom, precision } = fields
  if (headroom !== undefined && typeof headroom !== 'function' && !isShare(headroom)) {
    fail(
      'HALT_E_HEADROOM',
      `headroom is ${describe(headroom)}.`,
      'Give a share from 0 to 1, such as 0.2, or a function that returns one for a request.',
    )
  }
  if (precision !== undefined) {
    if (algorithm !== 'sliding-window') {
      fail(
        'HALT_E_PRECISION',
        `${algorithm} does not take precision.`,
        'Leave it out, or use "sliding-window".',
      )
    }
    if (!(Number.isInteger(precision) && (precision as number) >= 1 && (precision as number) <= 1000)) {
      fail('HALT_E_PRECISION', `precision is ${describe(precision)}.`, 'Give a whole number from 1 to 1000.')
    }
  }
  if (fields['blockDuration'] !== undefined)
    parseDuration(fields['blockDuration'], 'blockDuration', 'HALT_E_BLOCK_DURATION')
}

function checkKey(fields: Fields): void {
  checkChoice(fields, 'keyStrategy', Object.values(KeyStrategy), 'HALT_E_KEY_STRATEGY')
  checkType(fields, 'keyExtractor', 'function', 'HALT_E_KEY_EXTRACTOR')
  if (fields['keyStrategy'] === 'custom' && fields['keyExtractor'] === undefined) {
    fail(
      'HALT_E_KEY_EXTRACTOR',
      'keyStrategy "custom" has no keyExtractor.',
      'Give keyExtractor: request => string.',
    )
  }
  checkChoice(fields, 'onMissingKey', ['ip', 'deny', 'allow'], 'HALT_E_MISSING_KEY')
  checkChoice(fields, 'scope', ['global', 'route'], 'HALT_E_SCOPE')
}

function checkRest(fields: Fields): void {
  checkType(fields, 'exemptPrivateIps', 'boolean', 'HALT_E_EXEMPTION')
  checkChoice(fields, 'onStoreError', ['local', 'open', 'closed'], 'HALT_E_ON_STORE_ERROR')
  checkType(fields, 'plan', 'string', 'HALT_E_PLAN')
  const { exemptions, mode, thresholds, unit } = fields
  checkChoice(fields, 'status', [402, 429], 'HALT_E_STATUS')
  if (unit !== undefined && !(typeof unit === 'string' && UNIT.test(unit)))
    fail('HALT_E_UNIT', `unit is ${describe(unit)}.`, 'Use 1 to 32 letters, digits, "_", ".", "/" or "-".')
  if (exemptions !== undefined && !Array.isArray(exemptions)) {
    fail(
      'HALT_E_EXEMPTION',
      `exemptions is ${describe(exemptions)}.`,
      'Give a list: ["/admin", "192.0.2.0/24"].',
    )
  }
  if (typeof mode !== 'object' || mode === null)
    checkChoice(fields, 'mode', ['enforce', 'shadow', 'off'], 'HALT_E_MODE')
  else if (!isShare((mode as Fields)['shadow']) || Object.keys(mode).length !== 1) {
    fail(
      'HALT_E_MODE',
      'mode is an object other than { shadow }, or its share is not from 0 to 1.',
      'Give { shadow: 0.9 } to only report for nine keys in ten.',
    )
  }
  if (thresholds === undefined || (Array.isArray(thresholds) && thresholds.every(t => t !== 0 && isShare(t))))
    return
  fail(
    'HALT_E_THRESHOLDS',
    'thresholds is not a list of shares.',
    'Give shares above 0 and up to 1, such as [0.8, 1].',
  )
}

function isShare(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= 1
}

/** Refuses a cost that no request could ever pass. */
function checkCost(fields: Fields, isQuota: boolean): void {
  const capacity = (isQuota ? undefined : fields['burst']) ?? fields['limit']
  const cost = fields['cost'] ?? 1
  if ((cost as number) <= (capacity as number)) return
  const which = fields['burst'] === undefined ? 'limit' : 'burst'
  fail(
    which === 'burst' ? 'HALT_E_BURST' : 'HALT_E_COST',
    `cost ${describe(cost)} is more than the ${which} of ${describe(capacity)}, so no request could ever pass.`,
    `Raise ${which} to at least the cost.`,
  )
}

/** Refuses a share for others that leaves less than a request costs, because no request could ever pass. */
function checkReserve({ headroom, burst, limit, cost = 1 }: Fields): void {
  if (typeof headroom !== 'number') return
  const capacity = (burst ?? limit) as number
  const left = capacity - unitsOfShare(headroom, capacity)
  if (left >= (cost as number)) return
  fail(
    'HALT_E_HEADROOM',
    `headroom ${headroom} leaves ${left} of ${capacity} units, and a request costs ${cost as number}, so none could ever pass.`,
    burst === undefined
      ? 'Give a smaller share, or a larger limit.'
      : 'Give a smaller share, or a larger burst.',
  )
}
