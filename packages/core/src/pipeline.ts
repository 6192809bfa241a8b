import { pass, refusal, type Uncounted } from './answer.ts'
import type { CompiledPolicy } from './compiled-policy.ts'
import { conclude } from './conclusion.ts'
import { type Cost, costFor, type WHOLE_LIMIT } from './cost.ts'
import type { Decision } from './decision.ts'
import type { Digest } from './digest.ts'
import type { Exempter } from './exempter.ts'
import type { KeyOutcome, Keyring } from './keyring.ts'
import type { Observer } from './observer.ts'
import type { CompiledPenalty } from './penalty-config.ts'
import { ask, type Keyed, type Question } from './question.ts'
import type { Caller } from './request/caller.ts'
import { SHARED, type Subject } from './request/identity.ts'
import { normalizePath } from './request/path.ts'
import type { RequestView } from './request/view.ts'
import type { Judge, Judgement } from './resilience/judge.ts'
import { isPromise } from './timers.ts'

/** The rooms a request passes through. */
export interface PipelineParts {
  readonly exempter: Exempter
  readonly keyring: Keyring
  readonly judge: Judge
  readonly observer: Observer
  readonly penalty: CompiledPenalty | undefined
  readonly digest: Digest
}

/** What is asked beside the policies. */
export interface Asked {
  readonly cost: Cost | typeof WHOLE_LIMIT | undefined
  readonly idempotencyKey: string | undefined
  readonly peek: boolean
  /** The store has failed this request already. */
  readonly storeFailed: boolean
  /** When the decision began, milliseconds; 0 when nobody asks. */
  readonly started: number
}

/** The way of one request: exemptions → keys → demands → store → verdicts → decision. Synchronous where all rooms are. */
export class Pipeline {
  readonly #parts: PipelineParts

  constructor(parts: PipelineParts) {
    this.#parts = parts
  }

  /** Decides a request by policies; `undefined` when those could not be found. */
  decide(
    policies: readonly CompiledPolicy[] | undefined,
    caller: Caller,
    asked: Asked,
  ): Decision | Promise<Decision> {
    const { exempter, keyring } = this.#parts
    // First, so that no orchestrator ends the process for want of policies.
    if (exempter.isHealthCheck(caller.view.method, caller.view.path))
      return this.#exempt(policies?.[0], caller, asked)
    if (policies === undefined) return this.#refuse(undefined, caller, 'policy-error', asked)
    if (policies.length === 1) return this.#decideOne(policies[0] as CompiledPolicy, caller, asked)
    const counted: CompiledPolicy[] = []
    const keys: (KeyOutcome | Promise<KeyOutcome>)[] = []
    let pending = false
    for (let i = 0; i < policies.length; i++) {
      const policy = policies[i] as CompiledPolicy
      if (policy.off || exempter.reason(policy, caller) !== undefined) continue
      const key = keyring.find(policy, caller)
      pending ||= isPromise(key)
      counted.push(policy)
      keys.push(key)
    }
    if (!pending) return this.#judge(counted, keys as KeyOutcome[], policies, caller, asked)
    return Promise.all(keys.map(async key => key)).then(found =>
      this.#judge(counted, found, policies, caller, asked),
    )
  }

  /** Decides for a subject that is given, not found. */
  decideFor(
    subject: Subject,
    policies: readonly CompiledPolicy[],
    asked: Asked,
  ): Decision | Promise<Decision> {
    const keyed: Keyed[] = []
    for (const policy of policies) {
      if (policy.off) continue
      const whose = policy.keyStrategy === 'shared' ? SHARED : subject
      keyed.push({ policy, key: { subject: whose, how: 'the given identity', unverified: false } })
    }
    const [first] = policies
    if (keyed.length === 0) return pass(uncounted(first, subject, 0), Date.now())
    return this.#ask(keyed, undefined, subject, asked)
  }

  // The commonest request, without the lists that it does not need.
  #decideOne(policy: CompiledPolicy, caller: Caller, asked: Asked): Decision | Promise<Decision> {
    const { exempter, keyring, penalty } = this.#parts
    if (policy.off || exempter.reason(policy, caller) !== undefined)
      return this.#exempt(policy, caller, asked)
    const key = keyring.find(policy, caller)
    if (typeof key === 'object' && 'subject' in key)
      return this.#ask([{ policy, key }], caller, penalty && caller.principal, asked)
    if (!isPromise(key)) return this.#judge([policy], [key], [policy], caller, asked)
    return key.then(found => this.#judge([policy], [found], [policy], caller, asked))
  }

  #judge(
    counted: readonly CompiledPolicy[],
    keys: readonly KeyOutcome[],
    policies: readonly CompiledPolicy[],
    caller: Caller,
    asked: Asked,
  ): Decision | Promise<Decision> {
    const keyed: Keyed[] = []
    for (let i = 0; i < counted.length; i++) {
      const policy = counted[i] as CompiledPolicy
      const key = keys[i] as KeyOutcome
      if (key === 'deny') {
        // Who only reports refuses nobody, and has no counter to report of.
        if (policy.shadow > 0) continue
        return this.#refuse(policy, caller, 'missing-key', asked)
      }
      if (key !== 'allow') keyed.push({ policy, key })
    }
    if (keyed.length === 0) return this.#exempt(policies[0], caller, asked)
    return this.#ask(keyed, caller, this.#parts.penalty && caller.principal, asked)
  }

  #ask(
    keyed: readonly Keyed[],
    caller: Caller | undefined,
    principal: Subject | undefined,
    asked: Asked,
  ): Decision | Promise<Decision> {
    const { penalty, digest, judge } = this.#parts
    const unverified = caller !== undefined && keyed.some(isUnverified)
    const question = ask(keyed, {
      cost: asked.cost,
      peek: asked.peek,
      // Asked only where it counts: a framework may have to look it up.
      route: caller !== undefined && keyed.some(isPerRoute) ? routeOf(caller.view) : undefined,
      address: unverified ? caller.ip : '',
      penalty,
      principal,
      idempotencyKey: asked.idempotencyKey,
      digest,
    })
    const judgement = judge.ask(question, asked.storeFailed)
    if (!('then' in judgement)) return this.#conclude(judgement, question, caller, asked)
    return judgement.then(found => this.#conclude(found, question, caller, asked))
  }

  #conclude(
    judgement: Judgement,
    question: Question,
    caller: Caller | undefined,
    { peek, started }: Asked,
  ): Decision {
    const decision = conclude(judgement, question)
    const verdict = 'degraded' in judgement ? undefined : judgement.verdict
    if (!peek) this.#parts.observer.decided(decision, question, verdict, caller?.view, started)
    return decision
  }

  #exempt(policy: CompiledPolicy | undefined, caller: Caller, { peek, started }: Asked): Decision {
    const decision = pass(uncounted(policy, caller.ip, 0), Date.now())
    if (!peek) this.#parts.observer.exempt(decision, policy, caller.view, started)
    return decision
  }

  #refuse(
    policy: CompiledPolicy | undefined,
    caller: Caller,
    reason: 'missing-key' | 'policy-error',
    { cost, peek, started }: Asked,
  ): Decision {
    const units = policy === undefined ? 1 : costFor(policy, cost)
    const decision = refusal(
      reason,
      uncounted(policy, caller.ip, units),
      Date.now(),
      false,
      reason === 'policy-error' ? 1 : 0,
    )
    if (!peek) this.#parts.observer.refused(decision, policy, caller.view, started)
    return decision
  }
}

function uncounted(policy: CompiledPolicy | undefined, key: Subject, cost: number): Uncounted {
  return { policy: policy?.name ?? '', limit: policy?.limit ?? 0, key, cost }
}

function isUnverified({ key }: Keyed): boolean {
  return key.unverified
}

function isPerRoute({ policy }: Keyed): boolean {
  return policy.isPerRoute
}

// A client may invent methods: those that none has in common share one counter.
const METHODS = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'])

// HEAD asks what GET would say. Without a matched route the path stands in, in one spelling. No spaces: stores that join
// subject and cell by one tell them apart by it.
function routeOf({ method, route, path }: RequestView): string {
  const verb = method === 'HEAD' ? 'GET' : METHODS.has(method) ? method : 'OTHER'
  const place = route ?? normalizePath(path)
  return `${verb}:${place}`.replaceAll(' ', '%20')
}
