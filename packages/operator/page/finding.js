// @ts-check
import { openAct } from './act-form.js'
import { badge, bar, button, make } from './dom.js'
import { entryRow } from './entry.js'
import { count, instant, span, whole } from './words.js'

/** @typedef {import('../src/desk/desk.ts').Finding} Finding */
/** @typedef {Finding['limiters'][number]} LimiterFinding */
/** @typedef {LimiterFinding['policies'][number]} PolicyFinding */
/** @typedef {import('../src/desk/identities.ts').Whom} Whom */

/** Shows everything about a client. @param {Finding} finding @param {Whom} whom */
export function showFinding({ who, limiters, counted, entries, problem }, whom) {
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
  const planned = limiters.filter(({ plan }) => plan !== undefined)
  all.append(
    ...cardsOf(
      limiters.filter(({ plan }) => plan === undefined),
      client,
    ),
  )
  for (const name of new Set(planned.map(({ plan }) => plan))) {
    const ofPlan = planned.filter(({ plan }) => plan === name)
    all.append(planHead(name ?? '', ofPlan), ...cardsOf(ofPlan, client))
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

/**
 * The badge over a client. Plans that are not known to be its own say nothing about it.
 * @param {readonly LimiterFinding[]} limiters @param {Finding['counted']} counted
 */
function conclusion(limiters, counted) {
  const own = limiters.filter(({ plan, chargedLast }) => plan === undefined || chargedLast === true)
  const refusing = own.find(({ allowed }) => allowed === false)
  if (refusing !== undefined) return [badge(`refused: ${refusing.reason}`, 'bad')]
  for (const { key, now } of counted) {
    const other = now.find(({ allowed }) => allowed === false)
    if (other !== undefined) return [badge(`refused by ${key}: ${other.reason}`, 'bad')]
  }
  if (limiters.some(({ plan }) => plan !== undefined) && !limiters.some(({ chargedLast }) => chargedLast))
    return [badge('plan not known')]
  if (own.some(({ allowed }) => allowed === true)) return [badge('passes', 'good')]
  return [badge('no counter')]
}

/** The policies of some findings: those that are used, and the others folded away. @param {readonly LimiterFinding[]} limiters @param {{ whom: Whom, who: string }} client */
function cardsOf(limiters, client) {
  const policies = limiters.flatMap(limiter => limiter.policies)
  const used = policies.filter(isUsed).sort((a, b) => Number(a.allowed) - Number(b.allowed))
  const unused = policies.filter(policy => !isUsed(policy))
  return [
    ...used.map(policy => policyCard(policy, client)),
    ...(unused.length > 0 ? [unusedCards(unused, client)] : []),
  ]
}

/** The head of a plan. @param {string} plan @param {readonly LimiterFinding[]} limiters */
function planHead(plan, limiters) {
  const isRefused = limiters.some(({ allowed }) => allowed === false)
  const isLast = limiters.some(({ chargedLast }) => chargedLast === true)
  const isUnknown = limiters.every(({ chargedLast }) => chargedLast === undefined)
  const verdict = isRefused ? 'refused' : 'passes'
  return make(
    'div',
    'heading plan',
    make('h2', '', `Plan ${plan}`),
    isLast
      ? badge(`charged last: ${verdict}`, isRefused ? 'bad' : 'good')
      : badge(isRefused ? 'would be refused' : 'would pass'),
    make(
      'span',
      'faint',
      isLast
        ? ''
        : isUnknown
          ? 'whether the client has it is not known'
          : 'not the plan that charged it last',
    ),
  )
}

/** The other keys on which requests of the client were counted lately. @param {Finding['counted']} counted */
function countedCard(counted) {
  return make(
    'div',
    'card more',
    make('h3', '', 'Its requests were counted lately on other keys, too'),
    make(
      'ul',
      'facts',
      ...counted.map(({ key, last, now }) =>
        make(
          'li',
          '',
          button(key, () => dispatchEvent(new CustomEvent('find-key', { detail: key })), 'key'),
          ...last.map(({ policy, allowed, reason, at }) => countedRow(policy, allowed, reason, at, now)),
        ),
      ),
    ),
  )
}

/** @param {string} policy @param {boolean} allowed @param {string} reason @param {number} at @param {readonly LimiterFinding[]} now */
function countedRow(policy, allowed, reason, at, now) {
  const found = now.flatMap(({ policies }) => policies).find(each => each.policy === policy)
  const [passes, why] = found === undefined ? [allowed, reason] : [found.allowed, found.reason]
  const left =
    found === undefined
      ? `${span(Date.now() - at)} ago`
      : `${whole(found.remaining)} of ${whole(found.limit)} left`
  return make(
    'p',
    'row',
    make('b', '', policy),
    badge(passes ? 'passes' : why, passes ? 'good' : 'bad'),
    make('span', 'figure faint', left),
  )
}

/** Whether the client has used a policy, or is refused by it. @param {PolicyFinding} policy */
function isUsed({ allowed, counters, line }) {
  return (
    !allowed || line !== undefined || counters.some(({ used, blockedUntil }) => used > 0 || blockedUntil > 0)
  )
}

/** The policies of which nothing is used, folded away. @param {PolicyFinding[]} policies @param {{ whom: Whom, who: string }} client */
function unusedCards(policies, client) {
  const names = policies.map(({ policy }) => policy).join(', ')
  const summary = make('summary', '', make('b', '', 'Nothing used: '), names)
  return make(
    'details',
    'card more',
    summary,
    make('div', 'finding', ...policies.map(policy => policyCard(policy, client))),
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

/** @param {PolicyFinding} policy @param {{ whom: Whom, who: string }} client */
function policyCard(policy, client) {
  const { allowed, reason, mode, algorithm, exemption, limit, remaining } = policy
  const card = make(
    'div',
    'card policy',
    make(
      'div',
      'heading',
      make('h3', '', policy.policy, make('span', 'faint', ` ${algorithm}`)),
      mode === 'enforce' ? undefined : badge(mode),
      exemption === undefined
        ? badge(allowed ? 'passes' : reason, allowed ? 'good' : 'bad')
        : badge('not counted'),
    ),
  )
  if (exemption !== undefined) {
    card.append(make('p', 'faint', exemption))
    return card
  }
  card.append(
    make(
      'p',
      'row',
      make('span', '', `${whole(remaining)} of ${whole(limit)} left`),
      make('span', 'figure', waitOf(policy)),
    ),
    bar(remaining / limit, remaining / limit < 0.2),
    make('ul', 'facts', ...factsOf(policy).map(fact => make('li', '', fact))),
    make('div', 'buttons', ...actsOf(policy, client)),
  )
  return card
}

/** @param {PolicyFinding} policy */
function waitOf({ allowed, retryAfter, resetAt }) {
  if (!allowed) return retryAfter === null ? 'never passes' : `passes in ${span(retryAfter * 1000)}`
  return resetAt * 1000 > Date.now() ? `full again in ${span(resetAt * 1000 - Date.now())}` : 'full'
}

/** @param {PolicyFinding} policy */
function factsOf({ counters, quota, line, key }) {
  const facts = counters.map(({ counter, used, limit }) =>
    counter === 'own'
      ? `${whole(used)} used`
      : `${whole(used)} of ${whole(limit)} ${counter === 'address' ? 'used by all keys of the address' : 'in flight'}`,
  )
  const until = Math.max(0, ...counters.map(({ blockedUntil }) => blockedUntil))
  if (until > 0) facts.push(`cool-down for ${span(until * 1000 - Date.now())}`)
  if (quota !== undefined) {
    facts.push(`${whole(quota.limit)} per period, since ${instant(quota.periodStart * 1000)}`)
    if (quota.granted > 0) facts.push(`${whole(quota.granted)} granted on top`)
  }
  if (line !== undefined)
    facts.push(`${count(line.units, 'unit waits', 'units wait')} in line, for ${span(line.seconds * 1000)}`)
  if (key !== undefined) facts.push(`counted under ${key}`)
  return facts
}

/** @param {PolicyFinding} policy @param {{ whom: Whom, who: string }} client */
function actsOf({ policy, quota, limit }, client) {
  const about = { ...client, policy, limit }
  const other = button('Other numbers …', () => openAct({ act: 'override', ...about }))
  return quota === undefined
    ? [button('Reset …', () => openAct({ act: 'reset', ...about })), other]
    : [button('Grant more …', () => openAct({ act: 'grant', ...about }), 'main'), other]
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
