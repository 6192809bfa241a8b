import { HaltError, RateLimiter } from '@halt/core'

import { type Call, ExitCode, type Flag, valueOf } from '../command/command.ts'
import { commandError } from '../command/parse.ts'
import { withValues } from '../command/usage.ts'
import { type CliIo, coloursOf } from '../io.ts'
import type { LimiterSettings, Plan } from '../limits/limits-file.ts'
import { controlProblem } from './control-problem.ts'
import { type OpenControl, withControl } from './control.ts'
import { needLimits } from './store.ts'
import { targetOf, type Whom } from './target.ts'

/** A plan, and a limiter that names its counters as the application does. */
export interface OpenPlan {
  /** Undefined if there are no plans. */
  readonly name: string | undefined
  readonly limiter: RateLimiter
}

/** A client, and the plans that it may have. */
export interface OpenClient extends OpenControl {
  readonly identity: Whom
  /** At least one. */
  readonly plans: readonly OpenPlan[]
  /** The plan that the operator says the client has; undefined if that is not known, or there are no plans. */
  readonly own: string | undefined
}

/** The option that tells the plan of a client. */
export const planFlag: Readonly<Record<string, Flag>> = {
  plan: {
    value: 'name',
    help: 'The plan that the client has, if you know it. Otherwise the counters tell under which it was charged last, if they can.',
  },
}

/**
 * Loads the limits, opens limiters on the store of the application, and calls `use`.
 *
 * @throws HaltError `HALT_E_COMMAND` without `--policy`, and the codes of {@link withControl}
 */
export function withClient(
  name: string,
  call: Call,
  io: CliIo,
  use: (client: OpenClient) => Promise<number>,
): Promise<number> {
  needLimits(call, `${name} user:42`)
  return withControl(call, io, async (control, opened) => {
    const identity = await targetOf(call.positionals[0] as string, call, control)
    await control.refresh()
    const plans = (opened.limits?.plans ?? []).map(plan => openPlan(plan, opened))
    await withValues(() => plans[0]?.limiter.keyOf(identity))
    const code = await use({ ...opened, identity, plans, own: ownPlanOf(call, plans, opened) })
    const problem = controlProblem(control)
    if (problem === undefined) return code
    // Its counters are worth to be seen, and perhaps an operator has blocked it.
    io.stderr.write(`${coloursOf(io, io.stderr).yellow('Warning:')} ${problem.message}\n`)
    return ExitCode.FAILED
  })
}

function ownPlanOf(call: Call, plans: readonly OpenPlan[], { limits }: OpenControl): string | undefined {
  const own = valueOf(call, 'plan')
  const names = plans.flatMap(({ name }) => name ?? [])
  if (own === undefined || names.includes(own)) return own
  throw commandError(
    `${limits?.file} has no plan ${JSON.stringify(own)}.`,
    names.length === 0 ? 'It has no plans.' : `Its plans are ${names.join(', ')}.`,
  )
}

function openPlan({ name, settings }: Plan, opened: OpenControl): OpenPlan {
  const { obeyed, limits } = opened
  const file = limits?.file ?? ''
  if (typeof settings.policy === 'function') throw chosenByFunction(file)
  return { name, limiter: withPlansHint(() => openLimiter({ ...settings, control: obeyed }, opened)) }
}

/** The error of a limits file whose policies only a request can tell. */
export function chosenByFunction(file: string): HaltError {
  return new HaltError(
    'HALT_E_POLICY_MODULE',
    `${file} chooses its policies by a function, which needs a request.`,
    'Let it export the plans that the function chooses among: export const plans = { free: [FREE], pro: [PRO] }.',
  )
}

/** Opens a limiter that names counters as the application does. */
export function openLimiter(
  settings: LimiterSettings,
  { store, identityOptions }: Pick<OpenControl, 'store' | 'identityOptions'>,
): RateLimiter {
  return new RateLimiter({
    ...settings,
    ...identityOptions,
    store,
    // A person waits for the answer, and a decision without the store would mislead.
    storeTimeout: '5s',
    onStoreError: 'closed',
    instances: 1,
    warn: () => {},
  })
}

/** Policies that share a counter are mostly plans, of which one decides. */
export function withPlansHint<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    const { code, summary, fix } = error as Partial<HaltError>
    if (code !== 'HALT_E_DUPLICATE_POLICY' || summary === undefined) throw error
    const hint = 'If these are plans, of which one decides: export const plans = { free: […], pro: […] }.'
    throw new HaltError(code, summary, `${fix} ${hint}`, { cause: error })
  }
}
