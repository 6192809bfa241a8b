// @ts-check
import { openAct } from './act-form.js'
import { badge, bar, button, make } from './dom.js'
import { count, instant, span, whole } from './words.js'

/** @typedef {import('../src/desk/desk.ts').Finding} Finding */
/** @typedef {Finding['limiters'][number]} LimiterFinding */
/** @typedef {LimiterFinding['policies'][number]} PolicyFinding */
/** @typedef {import('../src/desk/identities.ts').Whom} Whom */

/**
 * One policy of a client. Its badge has no colour if it may not be the client's, because it is of another plan.
 * @param {PolicyFinding} policy @param {{ whom: Whom, who: string }} client @param {boolean} isOwn
 */
export function policyCard(policy, client, isOwn) {
  const { allowed, reason, mode, algorithm, exemption, limit, remaining, unit } = policy
  const card = make(
    'div',
    'card policy',
    make(
      'div',
      'heading',
      make('h3', '', policy.policy, make('span', 'faint', ` ${algorithm}`)),
      mode === 'enforce' || mode === undefined ? undefined : badge(mode),
      exemption === undefined
        ? badge(allowed ? 'passes' : reason, isOwn ? (allowed ? 'good' : 'bad') : '')
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
      make('span', '', `${whole(remaining)} of ${whole(limit)}${unit === undefined ? '' : ` ${unit}`} left`),
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
function factsOf({ algorithm, reason, counters, quota, line, key, fair }) {
  const facts = counters.map(({ counter, used, limit }) =>
    counter === 'own'
      ? `${whole(used)} used${fair === undefined ? '' : ' by all'}`
      : counter === 'share'
        ? shareOf(fair, algorithm, used, limit)
        : `${whole(used)} of ${whole(limit)} ${counter === 'address' ? 'used by all keys of the address' : 'in flight'}`,
  )
  const until = Math.max(0, ...counters.map(({ blockedUntil }) => blockedUntil))
  if (until > 0) facts.push(`cool-down for ${span(until * 1000 - Date.now())}`)
  if (quota !== undefined) {
    facts.push(`${whole(quota.limit)} per period, since ${instant(quota.periodStart * 1000)}`)
    if (quota.held > 0) facts.push(`${whole(quota.held)} held by calls that have not ended`)
    if (quota.granted > 0) facts.push(`${whole(quota.granted)} granted on top`)
  }
  if (line !== undefined)
    facts.push(`${count(line.units, 'unit waits', 'units wait')} in line, for ${span(line.seconds * 1000)}`)
  if (reason === 'fair-share') facts.push('the rest is for tenants that had less')
  if (key !== undefined) facts.push(`counted under ${key}`)
  return facts
}

/**
 * What a client gets of a limit that tenants share.
 * @param {PolicyFinding['fair']} fair @param {string} algorithm @param {number} used @param {number} limit
 */
function shareOf(fair, algorithm, used, limit) {
  if (algorithm === 'concurrency') return `it holds ${whole(used)}, and may hold ${whole(limit)} now`
  if (fair === undefined || !fair.isScarce) return 'plenty is left, so that nobody waits for a turn'
  const share = `its share is ${Number((fair.level * fair.weight).toPrecision(2))} a second now`
  return used > 0 ? `${share}, and it has had ${whole(used)} beyond that` : share
}

/** @param {PolicyFinding} policy @param {{ whom: Whom, who: string }} client */
function actsOf({ policy, quota, limit, counters }, client) {
  const about = { ...client, policy, limit }
  const isCooling = counters.some(({ blockedUntil }) => blockedUntil * 1000 > Date.now())
  const other = button('Other numbers …', () => openAct({ act: 'override', ...about }))
  return quota === undefined
    ? [
        button('Reset …', () => openAct({ act: 'reset', ...about })),
        other,
        isCooling
          ? button('Resume …', () => openAct({ act: 'resume', ...about }))
          : button('Pause …', () => openAct({ act: 'pause', ...about })),
      ]
    : [
        button('Grant more …', () => openAct({ act: 'grant', ...about }), 'main'),
        ...(quota.granted > 0 ? [button('Take back …', () => openAct({ act: 'ungrant', ...about }))] : []),
        other,
      ]
}
