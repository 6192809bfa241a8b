// @ts-check
import { openAct } from './act-form.js'
import { countedCard } from './counted-card.js'
import { button, make } from './dom.js'
import { entryRow } from './control-entry.js'
import { conclusion, isInForce, planHead } from './plan-head.js'
import { policyCard } from './policy-card.js'
import { usageCard } from './usage-card.js'
import { count, instant } from './words.js'

/** @typedef {import('../src/desk/desk.ts').Finding} Finding */
/** @typedef {Finding['limiters'][number]} LimiterFinding */
/** @typedef {LimiterFinding['policies'][number]} PolicyFinding */
/** @typedef {import('../src/desk/identities.ts').Whom} Whom */

/** Shows everything about a client. @param {Finding} finding @param {Whom} whom */
export function showFinding({ who, limiters, counted, isWhole, usage, entries, problem }, whom) {
  const client = { whom, who }
  const all = make('div', 'finding')
  all.append(
    make(
      'div',
      'card',
      make('div', 'heading', make('h2', 'who', who), ...conclusion(limiters, counted)),
      make(
        'div',
        'buttons',
        ...['block', 'allow', 'reset'].map(act =>
          button(TITLES[act] ?? '', () => openAct({ act, ...client })),
        ),
      ),
      problem === undefined ? undefined : make('p', 'problem', problem.message),
      isWhole
        ? undefined
        : make(
            'p',
            'faint',
            'The other processes have not told on which other keys it was counted. Asking them …',
          ),
    ),
  )
  if (entries.length > 0)
    all.append(
      make(
        'div',
        'card',
        make('h2', '', 'What operators have set'),
        make('ol', 'entries', ...entries.map(entry => entryRow(entry))),
      ),
    )
  if (counted.length > 0) all.append(countedCard(counted))
  all.append(...usage.map(each => usageCard(each)))
  const planned = limiters.filter(({ plan }) => plan !== undefined)
  const plans = [...new Set(planned.map(({ plan }) => plan))].map(plan => ({
    plan: plan ?? '',
    findings: planned.filter(each => each.plan === plan),
  }))
  const isOfAll = (/** @type {PolicyFinding} */ { policy }) =>
    plans.length > 1 &&
    plans.every(({ findings }) => policiesOf(findings).some(each => each.policy === policy))
  const common = policiesOf(plans[0]?.findings ?? []).filter(isOfAll)
  const fixed = policiesOf(limiters.filter(({ plan }) => plan === undefined))
  all.append(...cardsOf([...fixed, ...common], client, true))
  const isTheirs = (/** @type {{ findings: LimiterFinding[] }} */ { findings }) => findings.some(isInForce)
  const isKnown = plans.some(isTheirs)
  for (const each of plans.toSorted((a, b) => Number(isTheirs(b)) - Number(isTheirs(a)))) {
    const own = policiesOf(each.findings).filter(policy => !isOfAll(policy))
    if (own.length === 0) continue
    const head = planHead(each.plan, each.findings)
    const cards = cardsOf(own, client, isTheirs(each))
    if (!isKnown || isTheirs(each)) all.append(head, ...cards)
    else all.append(make('details', 'card more', make('summary', '', head), make('div', 'finding', ...cards)))
  }
  const told = [
    ...limiters.flatMap(limiter => problemsOf(limiter)),
    ...penaltyOf(limiters, client),
    ...unreachedBy(limiters),
  ]
  if (told.length > 0) all.append(make('div', 'card more', ...told))
  return all
}

/** @type {Readonly<Record<string, string>>} */
const TITLES = { block: 'Block …', allow: 'Allow …', reset: 'Reset counters …' }

/** @param {readonly LimiterFinding[]} limiters */
function policiesOf(limiters) {
  return limiters.flatMap(limiter => limiter.policies)
}

/** Cards of policies: those that are used, and the others folded away. @param {readonly PolicyFinding[]} policies @param {{ whom: Whom, who: string }} client @param {boolean} isOwn */
function cardsOf(policies, client, isOwn) {
  const used = policies.filter(isUsed).sort((a, b) => Number(a.allowed) - Number(b.allowed))
  const unused = policies.filter(policy => !isUsed(policy))
  return [
    ...used.map(policy => policyCard(policy, client, isOwn)),
    ...(unused.length > 0 ? [unusedCards(unused, client, isOwn)] : []),
  ]
}

/** Whether the client has used a policy, or is refused by it. @param {PolicyFinding} policy */
function isUsed({ allowed, counters, line }) {
  return (
    !allowed || line !== undefined || counters.some(({ used, blockedUntil }) => used > 0 || blockedUntil > 0)
  )
}

/** The policies of which nothing is used, folded away. @param {PolicyFinding[]} policies @param {{ whom: Whom, who: string }} client @param {boolean} isOwn */
function unusedCards(policies, client, isOwn) {
  const names = policies.map(({ policy }) => policy).join(', ')
  const summary = make('summary', '', make('b', '', 'Nothing used: '), names)
  return make(
    'details',
    'card more',
    summary,
    make('div', 'finding', ...policies.map(policy => policyCard(policy, client, isOwn))),
  )
}

/** Why a limiter could not tell, or only for one process. @param {LimiterFinding} limiter */
function problemsOf({ degraded, error }) {
  const problems = []
  if (error) problems.push(`${error.message} ${error.fix} (${error.code})`)
  if (degraded !== false)
    problems.push(`The store did not answer, so these are the numbers of one process (${degraded}).`)
  return problems.map(problem => make('p', 'problem', problem))
}

/** The score of a client, which all limiters of a store share. @param {readonly LimiterFinding[]} limiters @param {{ whom: Whom, who: string }} client */
function penaltyOf(limiters, client) {
  const penalty = limiters
    .map(limiter => limiter.penalty)
    .find(each => each !== undefined && each.violations > 0)
  return penalty === undefined ? [] : [penaltyRow(penalty, client)]
}

/** The policies that the id does not reach, and what names their counters. @param {readonly LimiterFinding[]} limiters */
function unreachedBy(limiters) {
  const all = new Map(
    limiters.flatMap(({ unreachable }) => unreachable.map(each => [each.policy, each.reachedBy])),
  )
  return Array.from(all, ([policy, reachedBy]) =>
    make(
      'p',
      'faint',
      make('b', '', policy),
      ` has a counter that this id does not name. It is reached by ${reachedBy}.`,
    ),
  )
}

/** @param {NonNullable<LimiterFinding['penalty']>} penalty @param {{ whom: Whom, who: string }} client */
function penaltyRow({ isActive, penaltyUntil, abuseScore, violations }, client) {
  const score = `${count(violations, 'violation', 'violations')}, score ${Number(abuseScore.toFixed(1))}`
  const end = `a penalty until ${instant(penaltyUntil * 1000)}: its limits are smaller`
  return make(
    'p',
    'row',
    make('span', '', isActive ? `${score}, ${end}` : score),
    make(
      'span',
      'figure',
      button('Forgive …', () => openAct({ act: 'forgive', ...client })),
    ),
  )
}
