import { makeDigest } from '../base/digest.ts'
import { type Warn, warnOnce } from '../base/warnings.ts'
import { ExemptionCheck } from './exemption-check.ts'
import type { Control } from '../control/control.ts'
import { CounterReset } from './counter-reset.ts'
import { Decider } from './decider.ts'
import { KeyResolver } from './key-resolver.ts'
import { Charges } from './charges.ts'
import { Inspector } from './inspector.ts'
import { noticeMisuse } from '../misuse/index.ts'
import { TelemetryReporter } from '../telemetry/reporter.ts'
import { checkOptions, type LimiterNumbers, type RateLimiterOptions } from './options.ts'
import { compilePenalty } from '../policy/penalty-config.ts'
import { Pipeline } from './pipeline.ts'
import { PolicySource } from './policy-source.ts'
import { RequestKeys } from './request-keys.ts'
import type { CallerSettings } from '../request/caller-settings.ts'
import { KeyMaker } from '../request/key-maker.ts'
import { compileClientIp } from '../request/client-ip.ts'
import { GuardedStore } from '../resilience/guarded-store.ts'
import { onReconnection } from '../resilience/reconnections.ts'
import { Leases } from '../lease/leases.ts'
import { linesOf } from '../waiting/lines.ts'
import { Turns } from './turns.ts'

/** The parts of a limiter. */
export interface LimiterParts {
  readonly warn: Warn
  readonly numbers: LimiterNumbers
  readonly callers: CallerSettings
  readonly policies: PolicySource
  readonly decider: Decider
  readonly charges: Charges
  readonly turns: Turns
  readonly inspector: Inspector
  readonly counterReset: CounterReset
}

/**
 * Makes the parts of a limiter and connects them.
 *
 * @throws HaltError when an option or a policy is wrong
 */
export function assembleLimiter<R>(options: RateLimiterOptions<R>): LimiterParts {
  const numbers = checkOptions(options as RateLimiterOptions<never>)
  const { callbackTimeout, ipv6Prefix, keysPerAddress, storeTimeout: timeout, instances } = numbers
  const { store, policy, fallbackPolicy, telemetry, onStoreError = 'local' } = options
  const warn = warnOnce(options.warn)
  const digest = makeDigest(options.secret, warn)
  const penalty = options.penalty === undefined ? undefined : compilePenalty(options.penalty)
  const callers = {
    clientIp: compileClientIp({ ...options, ipv6Prefix }),
    resolveIp: options.clientIp as CallerSettings['resolveIp'],
    userId: options.userId as CallerSettings['userId'],
    apiKey: options.apiKey as CallerSettings['apiKey'],
    digest,
    keys: new KeyMaker(digest),
    warn,
  }
  const exemptionCheck = new ExemptionCheck(options as RateLimiterOptions, warn)
  const context = { multiplier: penalty?.multiplier, keysPerAddress }
  const policies = new PolicySource(policy as never, fallbackPolicy as never, context, callbackTimeout, warn)
  const reporter = new TelemetryReporter(telemetry, store, warn)
  const onFailure = reporter.storeFailed.bind(reporter)
  const onRecovery = reporter.storeRecovered.bind(reporter)
  const guardedStore = new GuardedStore({
    store,
    timeout,
    onStoreError,
    instances,
    warn,
    onFailure,
    onRecovery,
  })
  const requestKeys = new RequestKeys(exemptionCheck, new KeyResolver(callbackTimeout, warn))
  const lines = linesOf(store)
  const leases = new Leases(guardedStore)
  onReconnection(store, leases)
  const charges = new Charges({ guardedStore, leases, lines, warn, numbers })
  const { control } = options
  const parts = {
    exemptionCheck,
    requestKeys,
    guardedStore,
    leases,
    isShared: store.isShared !== false,
    charges,
    reporter,
    penalty,
    callers,
  }
  const pipeline = new Pipeline({ ...parts, control })
  const turns = new Turns({ guardedStore, charges, lines, mostWaiting: numbers.mostWaiting, control })
  const inspector = new Inspector({
    policies,
    pipeline,
    countersOnly:
      control === undefined ? pipeline : new Pipeline({ ...parts, control: withoutAccess(control) }),
    exemptionCheck,
    requestKeys,
    callers,
    ipv6Prefix,
    control,
    clock: guardedStore.clock,
  })
  const decider = new Decider({ policies, pipeline, inspector, reporter, warn })
  const counterReset = new CounterReset({ store, policies, inspector, charges, warn })
  control?.notePolicies(policies)
  noticeMisuse(options, policies.fixed ?? [], instances, warn)
  return { warn, numbers, callers, policies, decider, charges, turns, inspector, counterReset }
}

/** The numbers that operators have set, without their blocks and permissions. */
function withoutAccess(control: Control): Pick<Control, 'state'> {
  return {
    get state() {
      return control.state?.withoutAccess
    },
  }
}
