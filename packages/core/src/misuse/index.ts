import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Warn } from '../base/warnings.ts'
import type { Adviser, ExaminedOptions } from '../charge/adviser.ts'
import { isToldOfProxies } from '../request/trusted-proxies.ts'
import { noticeBareString, KeyWatch } from './key-watch.ts'
import {
  noticeCostNames,
  noticeStrangeNames,
  noticeUnits,
  noticeMilliseconds,
  noticeTimeouts,
} from './numbers.ts'
import { noticeUse, registerPolicies, noticeProcesses } from './limiters.ts'
import { noticeUnreachable } from './unreachable.ts'

export { noticeHighCost, noticeFullBucket, noticeMilliseconds } from './numbers.ts'
export { forgetSplit, noticeSplit } from './limiters.ts'

/** What warns of settings and calls that are probably a mistake. */
export const adviser: Adviser | undefined = {
  noticeMisuse,
  noticeMilliseconds,
  noticeUse,
  noticeCostNames,
  noticeUnits,
  noticeStrangeNames,
  noticeBareString,
  watchKeys: warn => new KeyWatch(warn),
}

/** Examines a new limiter, and warns of settings that work but are probably a mistake. */
function noticeMisuse(
  options: ExaminedOptions,
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

function noticeHeader(options: ExaminedOptions, warn: Warn): void {
  const { clientIpHeader, clientIp } = options
  if (clientIpHeader === undefined || isToldOfProxies(options.trustedProxies) || clientIp !== undefined)
    return
  warn({
    code: 'HALT_W_SPOOFABLE_HEADER',
    message: `clientIpHeader is "${clientIpHeader}", but no proxy is trusted. Any client can send that header, so Halt does not read it.`,
    fix: 'Name the proxies that set it: trustedProxies: ["10.0.0.0/8"].',
  })
}
