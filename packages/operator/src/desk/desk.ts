import { type Control, type ControlEntry, findUserInUsage, type LimitUsage, usageByUser } from '@halt/control'
import type { Identity } from '@halt/core'

import type { ActAnswer } from '../acts/acts.ts'
import { act } from '../acts/acts.ts'
import type { Acting } from '../acts/act.ts'
import { optionsOf, readCall } from '../acts/act-call.ts'
import { badRequest, type ShownError } from '../answer.ts'
import type { CheckedOptions, LimiterEntry, PlanOf } from '../options.ts'
import { type Feed, feedOf } from '../watch/feed.ts'
import type { Watch } from '../watch/watch.ts'
import { Catalogue, type CataloguedPolicy } from './catalogue.ts'
import { type CountedFinding, findCounted } from './counted.ts'
import { findIn, type LimiterFinding } from './findings.ts'
import { aloneIn, entriesOf, heldBy, type Standing } from './held.ts'
import { FORMS, isNetwork, readWhom, type Whom, withoutAddress } from './identities.ts'
import { KeyView } from './key-view.ts'
import { concerns, shown, withKeys } from './key-forms.ts'
import { ownAddressOf } from './own-address.ts'
import { ownPlanOf } from './own-plan.ts'

/** The facts that the page loads first. */
export interface About {
  /** Who is signed in. */
  readonly name: string
  readonly reveals: boolean
  readonly policies: readonly CataloguedPolicy[]
}

/** Everything about a client. */
export interface Finding {
  /** The key, as the page shows it. */
  readonly who: string
  readonly limiters: readonly LimiterFinding[]
  /**
   * The other keys on which requests of the client were counted lately, the latest first, such as the key of its company.
   */
  readonly counted: readonly CountedFinding[]
  /** Whether all processes have told theirs. If not, the same call tells more after four seconds. */
  readonly isWhole: boolean
  /** Who used the limits of the client, where several users share its key and the processes count them (`UsageByUser`). */
  readonly usage: readonly LimitUsage[]
  /** The operators' entries about the client. */
  readonly entries: readonly ControlEntry[]
  readonly problem: ShownError | undefined
}

/** The parts of a desk. */
export type DeskParts = Omit<CheckedOptions<never>, 'authorize' | 'store' | 'shedders' | 'hosts'> & {
  readonly watch: Watch
}

/** The calls of the page. Each gets the name of the operator, because some see keys in clear and others do not. */
export class Desk {
  readonly #limiters: readonly LimiterEntry[]
  readonly #control: Control
  readonly #reveals: (name: string) => boolean
  readonly #watch: Watch
  readonly #planOf: PlanOf | undefined
  readonly #catalogue: Catalogue

  constructor({ limiters, control, reveals, watch, planOf }: DeskParts) {
    this.#limiters = limiters
    this.#control = control
    this.#reveals = reveals
    this.#watch = watch
    this.#planOf = planOf
    this.#catalogue = new Catalogue(limiters)
  }

  about(name: string): About {
    return { name, reveals: this.#reveals(name), policies: this.#catalogue.list() }
  }

  /** The numbers of all processes. */
  async feed(name: string): Promise<Feed> {
    return feedOf(await this.#watch.read(), this.#view(name), aloneIn(this.#control), Date.now())
  }

  /** Every counter of a client. */
  async find(name: string, { whom }: Readonly<Record<string, unknown>>): Promise<Finding> {
    const asked = readWhom(whom)
    const identity = await this.#identity(asked, name)
    const view = this.#view(name)
    const key = this.#control.keyOf(identity)
    const plan = isNetwork(key) ? undefined : ownPlanOf(this.#planOf, identity, this.#limiters)
    const [limiters, counted, usage, { entries, problem }] = await Promise.all([
      isNetwork(key) ? [] : Promise.all(this.#limiters.map(entry => findIn(entry, identity, plan))),
      isNetwork(key) ? NOTHING_COUNTED : this.#counted(identity, key),
      // The store is away: then the entries tell of it.
      usageByUser(this.#control.store, key).catch(() => []),
      entriesOf(this.#control),
    ])
    const about = entries.filter(({ target }) => target !== undefined && concerns(target, key))
    return {
      who: view.show(key),
      limiters: limiters.flat().map(finding => withKeys(finding, view)),
      isWhole: counted.isWhole,
      counted: counted.found.map(each => ({
        ...each,
        key: view.show(each.key),
        now: each.now.map(finding => withKeys(finding, view)),
      })),
      usage: usage.map(each => ({
        ...each,
        users: each.users.map(({ key: user, units }) => ({ key: view.show(user), units })),
      })),
      entries: about.map(entry => shown(entry, view)),
      problem,
    }
  }

  async #counted(identity: Identity, key: string): Promise<Counted> {
    const id = withoutAddress(identity)
    const keys = id === undefined ? [key] : [key, this.#control.keyOf(id)]
    const { under, isWhole } = await this.#watch.countedUnder(keys)
    const others = under.filter(other => other.key !== key)
    const found = await findCounted(this.#limiters, others, this.#control)
    return { found, isWhole }
  }

  async standing(name: string): Promise<Standing> {
    const view = this.#view(name)
    const { entries, problem } = await entriesOf(this.#control)
    const history = problem?.code.startsWith('HALT_E_STORE') === true ? [] : await this.#control.history()
    return {
      entries: entries.map(entry => shown(entry, view)),
      history: history.slice(0, MOST_ACTS).map(one => shown(one, view)),
      problem,
    }
  }

  /** Tells what an act will do or, once it is confirmed, carries it out. @param context the framework's request */
  async act(name: string, body: Readonly<Record<string, unknown>>, context: unknown): Promise<ActAnswer> {
    const call = readCall(body)
    const identity = call.whom === undefined ? undefined : await this.#identity(call.whom, name)
    const target = identity === undefined ? '' : this.#control.keyOf(identity)
    const acting: Acting = {
      call,
      control: this.#control,
      limiters: this.#limiters,
      catalogue: this.#catalogue,
      options: optionsOf(call, name),
      ...(await heldBy(this.#control)),
      who: target === '' ? 'everybody' : this.#view(name).show(target),
      target,
      identity: () => given(identity, 'whom', '{ user: "42" }'),
      policy: () => given(call.policy, 'policy', '"per_user"'),
      units: () => given(call.units, 'units', '100'),
    }
    const own = call.act === 'block' && call.confirmed !== true ? await this.#ownAddress(context) : undefined
    return act(acting, own)
  }

  #ownAddress(context: unknown): Promise<string | undefined> {
    return ownAddressOf((this.#limiters[0] as LimiterEntry).limiter, context)
  }

  #view(name: string): KeyView {
    return new KeyView((this.#limiters[0] as LimiterEntry).limiter.partitionOf, this.#reveals(name))
  }

  async #identity(whom: Whom, name: string): Promise<Identity> {
    if (typeof whom !== 'string') return whom
    const named = this.#control.identityOf(whom)
    if (named !== undefined) return named
    const view = this.#view(name)
    const isMeant = (key: string | undefined): boolean => key !== undefined && view.show(key) === whom
    // What holds here is known at once, also while the store is away.
    const held = this.#control.inForce().find(({ target }) => isMeant(target))
    const key =
      held?.target ??
      (await this.#knownKeys()).find(isMeant) ??
      (await findUserInUsage(this.#control.store, isMeant).catch(() => undefined))
    const identity = key === undefined ? undefined : this.#control.identityOf(key)
    if (identity !== undefined) return identity
    throw badRequest(
      key === undefined ? 'No process knows this key.' : 'The key is that of all clients together.',
      FORMS,
    )
  }

  /** Every key that the page may have shown. */
  async #knownKeys(): Promise<string[]> {
    const [{ processes }, { entries }, history] = await Promise.all([
      this.#watch.read(),
      entriesOf(this.#control),
      this.#control.history().catch(() => []),
    ])
    const keys = processes.flatMap(({ used, refused, policies, events, lines, counted }) =>
      [...used, ...refused, ...policies, ...events, ...lines, ...counted.flatMap(({ under }) => under)].map(
        ({ key }) => key ?? '',
      ),
    )
    return [...keys, ...[...entries, ...history].map(({ target = '' }) => target)]
  }
}

interface Counted extends Pick<Finding, 'isWhole'> {
  readonly found: readonly CountedFinding[]
}
const NOTHING_COUNTED: Counted = { found: [], isWhole: true }

/** How many acts the page shows. */
const MOST_ACTS = 200

function given<T>(value: T | undefined, name: string, example: string): T {
  if (value !== undefined) return value
  throw badRequest(`The act has no ${name}.`, `Give ${name}: ${example}.`)
}
