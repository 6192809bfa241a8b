import { HaltError } from '@halt/core'

import { FIRST, LASTS, MOST, type PlayPolicy, type Setup, type Traffic, TRAFFIC } from './setup.ts'
import { Side } from './side.ts'

const PREFIX = '#try='
const FIELDS = [
  'name',
  'limit',
  'window',
  'ttl',
  'algorithm',
  'burst',
  'precision',
  'blockDuration',
  'cost',
  'keyStrategy',
  'fair',
]

/** Writes a set-up into the part of an address behind `#`. The text of a log stays on the page, because it names people. */
export function toHash({ sides, traffic, lasts, speed }: Setup): string {
  const carried = traffic.kind === 'log' ? TRAFFIC.log : traffic
  const bytes = new TextEncoder().encode(JSON.stringify({ sides, traffic: carried, lasts, speed }))
  const text = btoa(String.fromCharCode(...bytes))
  return PREFIX + text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** The set-up of a link, or the sentence that says what is wrong with it. An address without a set-up gives the first one. */
export function fromHash(hash: string): Setup | string {
  if (!hash.startsWith(PREFIX)) return FIRST
  const data = decode(hash.slice(PREFIX.length))
  if (data === undefined) return 'This link is cut or damaged. Copy it again, whole.'
  const { sides, traffic, lasts, speed } = data
  const setup = { sides, traffic, ...(lasts !== undefined && { lasts }), speed } as Setup
  return problemOf(setup) ?? setup
}

/** The sentence that says why a set-up cannot run; undefined if it can. */
export function problemOf({ sides, traffic, lasts = LASTS, speed }: Setup): string | undefined {
  if (!Array.isArray(sides) || sides.length < 1 || sides.length > 2) return 'A set-up has one or two sides.'
  if (!(speed >= 1 && speed <= 100)) return 'The speed is not a number from 1 to 100.'
  if (!(lasts >= 0.01 && lasts <= MOST.lasts))
    return `The time of a request in flight is not a number from 0.01 to ${MOST.lasts}.`
  return trafficProblem(traffic) ?? sides.map(policiesProblem).find(problem => problem !== undefined)
}

function trafficProblem(traffic: Traffic | undefined): string | undefined {
  if (typeof traffic !== 'object' || traffic === null || !Object.hasOwn(TRAFFIC, traffic.kind))
    return `The kind of traffic is not one of ${Object.keys(TRAFFIC).join(', ')}.`
  if (traffic.kind === 'log') return typeof traffic.text === 'string' ? undefined : 'The log is not a text.'
  const rules = { perSecond: MOST.perSecond, attack: MOST.perSecond, every: MOST.every }
  for (const [name, most] of Object.entries(rules)) {
    const value = (traffic as unknown as Record<string, unknown>)[name]
    if (name in TRAFFIC[traffic.kind] && !(typeof value === 'number' && value >= 0.01 && value <= most))
      return `The traffic's ${NAMES[name]} is not a number from 0.01 to ${most}.`
  }
  for (const name of ['clients', 'size'] as const) {
    const value = (traffic as unknown as Record<string, unknown>)[name]
    if (
      name in TRAFFIC[traffic.kind] &&
      !(Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MOST[name])
    )
      return `The traffic's ${NAMES[name]} is not a whole number from 1 to ${MOST[name]}.`
  }
  return undefined
}

const NAMES: Readonly<Record<string, string>> = {
  perSecond: 'rate',
  attack: "attacker's rate",
  every: 'time between bursts',
  clients: 'number of clients',
  size: 'number of requests at once',
}

/** The policies' own checks say what is wrong with them, as they do in an application. */
function policiesProblem(policies: readonly PlayPolicy[]): string | undefined {
  if (!Array.isArray(policies) || policies.length < 1 || policies.length > 4)
    return 'A side has one to four policies.'
  try {
    const other = policies
      .flatMap(policy => Object.keys(policy as object))
      .find(name => !FIELDS.includes(name))
    if (other !== undefined) return `The playground has no field ${JSON.stringify(other)}.`
    void new Side(policies, 0)
    return undefined
  } catch (error) {
    return error instanceof HaltError
      ? `${error.code}: ${error.summary} ${error.fix}`
      : 'A policy is not an object.'
  }
}

function decode(text: string): Record<string, unknown> | undefined {
  try {
    const bytes = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
    const json: unknown = JSON.parse(
      new TextDecoder().decode(Uint8Array.from(bytes, unit => unit.charCodeAt(0))),
    )
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
