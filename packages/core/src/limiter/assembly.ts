import { makeDigest } from '../base/digest.ts'
import { HaltError } from '../base/errors.ts'
import { type Warn, warnOnce } from '../base/warnings.ts'
import type { Evaluator } from '../check/evaluator.ts'
import type { Telemetry } from '../check/telemetry.ts'
import { compilePenalty } from '../policy/penalty-config.ts'
import type { CallerSettings } from '../request/caller.ts'
import { compileClientIp } from '../request/client-ip.ts'
import { KeyMaker } from '../request/key-maker.ts'
import { capabilitiesOf } from '../store/capabilities.ts'
import type { Store } from '../store/contract.ts'
import type { CallsParts } from '../reserve/calls.ts'
import { Endings } from '../base/idleness.ts'
import { Charges } from '../charge/charges.ts'
import { Corrections } from '../charge/corrections.ts'
import { Decider } from './decider.ts'
import { DirectEvaluator } from './direct-evaluator.ts'
import { ExemptionCheck } from './uncounted-decisions.ts'
import type { GateSource } from './gate.ts'
import { RequestKeys } from './key-resolver.ts'
import { checkOptions, type LimiterNumbers, type RateLimiterOptions } from './options.ts'
import { Peeker } from './peeker.ts'
import { Pipeline } from './pipeline.ts'
import { PolicySource } from './policy-source.ts'
import type { EvaluatorOptions, Wings } from '../charge/wings.ts'

/** The parts of a limiter. */
export interface LimiterParts {
  readonly warn: Warn
  readonly telemetry: Telemetry | undefined
  readonly numbers: LimiterNumbers
  readonly callers: CallerSettings
  readonly policies: PolicySource
  readonly evaluator: Evaluator
  readonly exemptionCheck: ExemptionCheck
  readonly pipeline: Pipeline
  readonly decider: Decider
  readonly charges: Charges
  readonly corrections: Corrections
  /** The parts from which the limiter makes the calls that it reserves. */
  readonly calls: CallsParts
  readonly peeker: Peeker
  /** What ends when the limiter closes, before its charges do. */
  readonly endings: Endings
}

/** Makes the parts of a limiter and connects them. @throws HaltError when an option or a policy is wrong */
export function assembleLimiter<R>(options: RateLimiterOptions<R>, wings: Wings): LimiterParts {
  const numbers = checkOptions(options)
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
    keys: new KeyMaker(digest, ipv6Prefix),
    warn,
  }
  const exemptionCheck = new ExemptionCheck(options as RateLimiterOptions, warn)
  const context = { multiplier: penalty?.multiplier, keysPerAddress }
  const { adviser } = wings
  const { noticeMilliseconds } = adviser ?? {}
  const sourceParts = { context, timeout: callbackTimeout, warn, noticeMilliseconds }
  const policies = new PolicySource(policy, fallbackPolicy, sourceParts)
  const witness = wings.witness?.(telemetry, store, warn)
  if (telemetry !== undefined && witness === undefined) failWithoutWitness()
  const onFailure: EvaluatorOptions['onFailure'] = (error, failure) => witness?.storeFailed(error, failure)
  const onRecovery: EvaluatorOptions['onRecovery'] = recovery => witness?.storeRecovered(recovery)
  const onAnswer: EvaluatorOptions['onAnswer'] =
    witness && ((group, evaluation, ask) => witness.observe(group, evaluation, ask))
  const evaluator = evaluatorOf(
    { store, timeout, onStoreError, instances, warn, onFailure, onRecovery, onAnswer },
    wings,
  )
  const requestKeys = new RequestKeys(exemptionCheck, callbackTimeout, warn, adviser?.watchKeys(warn))
  const leases = (wings.leases ?? (store.leases as Wings['leases']))?.(evaluator, store)
  const corrections = new Corrections({ evaluator, leases, warn })
  const charges = new Charges({ evaluator, corrections, leases, warn, numbers, adviser })
  const control = options.control as GateSource | undefined
  const parts = {
    exemptionCheck,
    requestKeys,
    evaluator,
    leases,
    isShared: store.isShared !== false,
    charges,
    witness,
    adviser,
    penalty,
    callers,
    control,
  }
  const pipeline = new Pipeline(parts)
  const peeker = new Peeker({ policies, pipeline, callers })
  const decider = new Decider({ policies, pipeline, keys: callers.keys, witness, adviser, warn })
  const policyNow: CallsParts['policyNow'] = (policy, subject) =>
    pipeline.policyNow(policy.origin ?? policy, subject)
  const endings = new Endings()
  control?.notePolicies(policies)
  control?.noteStore(store, warn)
  adviser?.noticeMisuse(options, policies.fixed ?? [], instances, warn)
  return {
    warn,
    telemetry,
    numbers,
    callers,
    policies,
    evaluator,
    exemptionCheck,
    pipeline,
    decider,
    charges,
    corrections,
    calls: { evaluator, charges, corrections, witness, adviser, warn, policyNow, endings },
    peeker,
    endings,
  }
}

function failWithoutWitness(): never {
  throw new HaltError(
    'HALT_E_TELEMETRY',
    'The limiter has telemetry, and nothing that tells it of decisions.',
    "Make the limiter with RateLimiter of '@halt/core', or give it { witness: reporter } from '@halt/core/telemetry' as the second argument.",
  )
}

/**
 * The evaluator of a store: the store itself if it decides in the memory of this process, else that of the limiter's wings, or the one
 * that the store brings.
 */
function evaluatorOf(options: EvaluatorOptions, wings: Wings): Evaluator {
  const { store } = options
  if (decidesHere(store)) return new DirectEvaluator(options)
  const make = wings.evaluator ?? (store.evaluator as Wings['evaluator'])
  if (make !== undefined) return make(options)
  if (store.isSynchronous === true) return new DirectEvaluator(options)
  throw new HaltError(
    'HALT_E_EVALUATOR',
    'The store may answer later, and nothing stands in front of it that answers when it does not.',
    "Make the limiter with RateLimiter of '@halt/core', or give the store evaluator: resilience from '@halt/core/resilience'.",
  )
}

// Such a store has nothing to wait for, and is never away. One whose `evaluate` is replaced or wrapped may be anything.
function decidesHere(store: Store): boolean {
  return store.isSynchronous === true && store.isShared === false && capabilitiesOf(store).chargesAlone()
}

// Outside of the limiter, so that nothing of them shows there.
const parts = new WeakMap<object, LimiterParts>()

/** Notes the parts of a limiter, for its wings. */
export function noteParts(limiter: object, own: LimiterParts): void {
  parts.set(limiter, own)
}

/**
 * The parts of a limiter, for its wings: waiting, inspection.
 *
 * @throws HaltError `HALT_E_LIMITER` for anything else
 */
export function partsOf(limiter: object): LimiterParts {
  const own = parts.get(limiter)
  if (own !== undefined) return own
  throw new HaltError(
    'HALT_E_LIMITER',
    'This is not a RateLimiter of this copy of @halt/core.',
    'Import the limiter and what uses it in one way: both as ES modules, or both as CommonJS.',
  )
}
