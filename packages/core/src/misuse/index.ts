import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Warn } from '../base/warnings.ts'
import { isToldOfProxies, type TrustedProxies } from '../request/trusted-proxies.ts'
import type { PenaltyConfig } from '../policy/penalty-config.ts'
import type { Store } from '../store/contract.ts'
import { enrol } from './limiters.ts'
import { noticeMilliseconds, noticeTimeouts } from './milliseconds.ts'
import { noticeProcesses } from './processes.ts'
import { noticeUnreachable } from './unreachable.ts'

export { noticeCostNames, noticeHighCost, noticeStrangeNames } from './costs.ts'
export { KeyWatch } from './key-watch.ts'
export { noticeMilliseconds } from './milliseconds.ts'
export { forgetSplit, noticeSplit } from './counter-split.ts'

/** What is looked at of a limiter's options. */
interface Options {
  readonly store: Store
  readonly clientIpHeader?: string | undefined
  readonly trustedProxies?: TrustedProxies | undefined
  readonly clientIp?: unknown
  readonly penalty?: PenaltyConfig | undefined
}

/** Looks over a limiter that is being built, and warns of what works but cannot be meant. */
export function lookOver(
  options: Options,
  policies: readonly CompiledPolicy[],
  instances: number | 'auto',
  warn: Warn,
): void {
  enrol(policies, options.store, warn)
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
    message: `clientIpHeader is "${clientIpHeader}", and no proxy is trusted: anybody can send that header, so it is not read.`,
    fix: 'Name the proxies that set it: trustedProxies: ["10.0.0.0/8"].',
  })
}
