import type { CompiledPolicy } from '../compiled-policy.ts'
import type { Warn } from '../errors.ts'
import type { RateLimiterOptions } from '../options.ts'
import { isToldOfProxies } from '../request/client-ip.ts'
import { enrol } from './census.ts'
import { noticeMilliseconds, noticeTimeouts } from './milliseconds.ts'
import { noticeProcesses } from './processes.ts'
import { noticeUnreachable } from './reach.ts'

export { noticeCostNames, noticeHighCost, noticeStrangeNames } from './costs.ts'
export { KeyWatch } from './key-watch.ts'
export { noticeMilliseconds } from './milliseconds.ts'
export { forgetSplit, noticeSplit } from './split.ts'

type Options = Pick<
  RateLimiterOptions<never>,
  'store' | 'clientIpHeader' | 'trustedProxies' | 'clientIp' | 'penalty'
>

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
