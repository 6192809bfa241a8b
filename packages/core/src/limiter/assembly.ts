import { makeDigest } from '../base/digest.ts'
import { HaltError } from '../base/errors.ts'
import { type Warn, warnOnce } from '../base/warnings.ts'
import { ExemptionCheck } from './exemption-check.ts'
import { Decider } from './decider.ts'
import { KeyResolver } from './key-resolver.ts'
import type { CallParts } from './call.ts'
import { Charges } from './charges.ts'
import { HoldKeeper } from './hold-keeper.ts'
import { noticeMisuse } from '../misuse/index.ts'
import { TelemetryReporter } from '../telemetry/reporter.ts'
import { checkOptions, type LimiterNumbers, type RateLimiterOptions } from './options.ts'
import { compilePenalty } from '../policy/penalty-config.ts'
import type { Evaluator } from '../check/evaluator.ts'
import { DirectEvaluator } from './direct-evaluator.ts'
import type { GateSource } from './gate.ts'
import { Peeker } from './peeker.ts'
import { Pipeline } from './pipeline.ts'
import type { EvaluatorOptions, Wings } from './wings.ts'
import { PolicySource } from './policy-source.ts'
import { RequestKeys } from './request-keys.ts'
import type { CallerSettings } from '../request/caller-settings.ts'
import { KeyMaker } from '../request/key-maker.ts'
import { compileClientIp } from '../request/client-ip.ts'

/** The parts of a limiter. */
export interface LimiterParts {
  readonly warn: Warn
  readonly numbers: LimiterNumbers
  readonly callers: CallerSettings
  readonly policies: PolicySource
  readonly evaluator: Evaluator
  readonly exemptionCheck: ExemptionCheck
  readonly pipeline: Pipeline
  readonly decider: Decider
  readonly charges: Charges
  readonly calls: CallParts
  readonly peeker: Peeker
  /** Makes the pipeline that shows the counters of a client, even if operators block it or let it pass. */
  countersOnly(): Pipeline
  /** Called when the limiter closes, before its charges end. */
  readonly onClose: ((finish: number) => Promise<void>)[]
}

/**
 * Makes the parts of a limiter and connects them.
 *
 * @throws HaltError when an option or a policy is wrong
 */
export function assembleLimiter<R>(options: RateLimiterOptions<R>, wings: Wings): LimiterParts {
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
  const evaluator = evaluatorOf(
    { store, timeout, onStoreError, instances, warn, onFailure, onRecovery },
    wings,
  )
  const requestKeys = new RequestKeys(exemptionCheck, new KeyResolver(callbackTimeout, warn))
  const leases = wings.leases?.(evaluator, store)
  const charges = new Charges({ evaluator, leases, warn, numbers })
  const control = options.control as GateSource | undefined
  const parts = {
    exemptionCheck,
    requestKeys,
    evaluator,
    leases,
    isShared: store.isShared !== false,
    charges,
    reporter,
    penalty,
    callers,
    control,
  }
  const pipeline = new Pipeline(parts)
  const countersOnly = (): Pipeline =>
    control === undefined ? pipeline : new Pipeline({ ...parts, countersOnly: true })
  const peeker = new Peeker({ policies, pipeline, callers, ipv6Prefix })
  const decider = new Decider({ policies, pipeline, peeker, reporter, warn })
  const keeper = new HoldKeeper(evaluator, warn)
  // Of policies that a function chooses, another client may have one of the same name.
  const policyNow: CallParts['policyNow'] = (policy, subject) =>
    pipeline.policyNow(policies.fixed?.find(({ name }) => name === policy.name) ?? policy, subject)
  control?.notePolicies(policies)
  noticeMisuse(options, policies.fixed ?? [], instances, warn)
  return {
    warn,
    numbers,
    callers,
    policies,
    evaluator,
    exemptionCheck,
    pipeline,
    decider,
    charges,
    calls: { evaluator, charges, keeper, reporter, warn, policyNow },
    peeker,
    countersOnly,
    onClose: [async () => keeper.close()],
  }
}

/** The evaluator of a store: that of the limiter's wings, the one that the store brings, or the store itself if it is synchronous. */
function evaluatorOf(options: EvaluatorOptions, wings: Wings): Evaluator {
  const { store } = options
  const make = wings.evaluator ?? (store.evaluator as Wings['evaluator'])
  if (make !== undefined) return make(options)
  if (store.isSynchronous === true) return new DirectEvaluator(options)
  throw new HaltError(
    'HALT_E_EVALUATOR',
    'The store may answer later, and nothing stands in front of it that answers when it does not.',
    "Import RateLimiter from '@halt/core', or give the store evaluator: resilience from '@halt/core/resilience'.",
  )
}
