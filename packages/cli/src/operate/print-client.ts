import type { Identity } from '@halt/core'

import type { Call } from '../command/command.ts'
import { type CliIo, coloursOf, jsonLine, print, printable } from '../io.ts'
import type { OpenClient } from './client.ts'
import {
  type ClientReading,
  type ClientView,
  entriesOf,
  type PlanView,
  plansInForce,
} from './client-views.ts'
import { lineOf } from './list-commands.ts'

/** Lines and fields that a command adds to the report of a client. */
interface Additions {
  /** Lines before it. */
  readonly lines?: readonly string[]
  /** Lines behind it. */
  readonly notes?: readonly string[]
  /** Fields of the JSON. */
  readonly facts?: object
}

/** Prints what was read of a client, each plan apart, between `lines` and `notes`, or all of it as JSON with `facts`. */
export async function printClient(
  client: OpenClient,
  reading: ClientReading,
  call: Call,
  io: CliIo,
  { lines = [], facts = {}, notes = [] }: Additions = {},
): Promise<void> {
  const entries = await entriesOf(reading, client.control)
  if (call.flags['json'] === true) return print(io, [jsonLine({ ...facts, ...dataOf(reading), entries })])
  const { bold } = coloursOf(io, io.stdout)
  const said = client.obeyed === undefined ? UNREAD : 'set by an operator'
  await print(io, [
    ...lines.map(printable),
    ...(reading.plans[0]?.plan === undefined ? [] : lastLine(reading)),
    ...plansInForce(reading).flatMap(plan => [
      ...(plan.plan === undefined ? [] : [bold(printable(headOf(plan, reading)))]),
      ...explained(plan.views).map(line => printable(plan.plan === undefined ? line : `  ${line}`)),
    ]),
    ...foldedPlans(reading),
    ...entries.map(({ kind, ...entry }) => `${said}: ${lineOf(kind, entry)}`),
    ...notes,
    ...(isWithoutAddress(client.identity) ? [ADDRESS_NOTE] : []),
  ])
}

const UNKNOWN_NOTE =
  'The counters do not tell under which plan the client was charged last. If you know its plan, give --plan.'
const UNREAD = 'set by an operator, but no process reads it here'
const ADDRESS_NOTE = 'The address is not known, so blocks of addresses are not shown. Give --ip.'

function lastLine({ last, own }: ClientReading): string[] {
  if (last !== undefined) return [printable(`The client was charged last under the plan ${last}.`)]
  return own === undefined ? [UNKNOWN_NOTE] : []
}

function headOf({ plan, isCounted, isRefused }: PlanView, { last, own }: ClientReading): string {
  const name = `Plan ${plan}${plan === last ? ', charged last' : ''}`
  if (!isCounted) return `${name}: counts nothing of it`
  if (plan === (own ?? last)) return `${name}: ${isRefused ? 'refused' : 'passes'}`
  return `${name}: ${isRefused ? 'would be refused' : 'would pass'} under it`
}

/** One line for each plan that is not the client's. An operator who has named the plan asks for no other. */
function foldedPlans(reading: ClientReading): string[] {
  if (reading.own !== undefined) return []
  const shown = plansInForce(reading)
  return reading.plans
    .filter(plan => !shown.includes(plan))
    .map(plan => printable(`${headOf(plan, reading)} (--plan ${plan.plan} shows it)`))
}

function dataOf({ plans, last, own }: ClientReading): object {
  if (plans[0]?.plan === undefined) return dataOfPlan(plans[0])
  return {
    lastPlan: last ?? null,
    ...(own === undefined ? {} : { ownPlan: own }),
    plans: plans.map(each => ({
      plan: each.plan,
      chargedLast: last === undefined ? null : each.plan === last,
      ...dataOfPlan(each),
    })),
  }
}

function dataOfPlan(plan: PlanView | undefined): object {
  const [whole, ...parts] = (plan?.views ?? []).map(({ identity, explanation, counters }) => ({
    identity,
    ...explanation,
    counters,
  }))
  return parts.length === 0 ? { ...whole } : { ...whole, parts }
}

/** The lines of several explanations. A policy that one of them shows is not called out of reach by the others. */
function explained(views: readonly ClientView[]): string[] {
  const known = views.filter(({ explanation }) => explanation.decision !== undefined)
  const shown = known.flatMap(({ explanation }) => explanation.policies.map(({ policy }) => policy))
  const isShown = (line: string): boolean =>
    views.length > 1 && shown.some(policy => line.startsWith(`  ${policy}: not reachable by `))
  return (known.length === 0 ? views.slice(0, 1) : known)
    .flatMap(({ explanation }) => String(explanation).split('\n'))
    .filter(line => !isShown(line))
}

function isWithoutAddress(identity: Identity): boolean {
  return typeof identity !== 'string' && !('ip' in identity) && !('custom' in identity)
}
