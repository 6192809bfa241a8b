import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Warn } from '../base/warnings.ts'
import { isToldOfProxies, type TrustedProxies } from '../request/trusted-proxies.ts'
import type { PenaltyConfig } from '../policy/penalty-config.ts'
import type { Store } from '../store/contract.ts'
import { registerPolicies } from './limiters.ts'
import { noticeMilliseconds, noticeTimeouts } from './milliseconds.ts'
import { noticeProcesses } from './processes.ts'
import { noticeUnreachable } from './unreachable.ts'

export { noticeCostNames, noticeHighCost, noticeStrangeNames, noticeUnits } from './costs.ts'
export { KeyWatch } from './key-watch.ts'
export { noticeUse } from './limiters.ts'
export { noticeMilliseconds } from './milliseconds.ts'
export { forgetSplit, noticeSplit } from './counter-split.ts'

/** The limiter options that are examined. */
interface Options {
  readonly store: Store
  readonly clientIpHeader?: string | undefined
  readonly trustedProxies?: TrustedProxies | undefined
  readonly clientIp?: unknown
  readonly penalty?: PenaltyConfig | undefined
}

/** Examines a new limiter, and warns of settings that work but are probably a mistake. */
export function noticeMisuse(
  options: Options,
  policies: readonly CompiledPolicy[],
  instances: number | 'auto',
  warn: Warn,
): void {
  registerPolicies(policies, options.store, warn)
  noticeUnreachable(policies, warn)
  noticeProcesses(options.store, instances, warn)
  noticeHeader(options, warn)
  noticeTimeouts(options, warn)
  if (options.penalty !== undefined) noticeMilliseconds('the penalty', options.penalty, warn)
}

function noticeHeader(options: Options, warn: Warn): void {
  const { clientIpHeader, clientIp } = options
  if (clientIpHeader === undefined || isToldOfProxies(options) || clientIp !== undefined) return
  warn({
    code: 'HALT_W_SPOOFABLE_HEADER',
    message: `clientIpHeader is "${clientIpHeader}", but no proxy is trusted. Any client can send that header, so Halt does not read it.`,
    fix: 'Name the proxies that set it: trustedProxies: ["10.0.0.0/8"].',
  })
}
