// @ts-check
import { badge, make } from './dom.js'

/** @typedef {import('../src/desk/desk.ts').Finding} Finding */
/** @typedef {Finding['limiters'][number]} LimiterFinding */

/** Whether a client has the plan of a finding or, if the application does not say, was charged last under it. @param {LimiterFinding} finding */
export function isInForce({ isOwn, chargedLast }) {
  return isOwn ?? chargedLast
}

/**
 * The badge over a client. Plans that are not known to be its own say nothing about it.
 * @param {readonly LimiterFinding[]} limiters @param {Finding['counted']} counted
 */
export function conclusion(limiters, counted) {
  const own = limiters.filter(limiter => limiter.plan === undefined || isInForce(limiter) === true)
  const refusing = own.find(({ allowed }) => allowed === false)
  if (refusing !== undefined) return [badge(`refused: ${refusing.reason}`, 'bad')]
  for (const { key, now } of counted) {
    const other = now.find(({ allowed }) => allowed === false)
    if (other !== undefined) return [badge(`refused by ${key}: ${other.reason}`, 'bad')]
  }
  const planned = limiters.filter(({ plan }) => plan !== undefined)
  if (planned.length > 0 && !planned.some(isInForce)) {
    // Where all plans agree, it does not matter which one it is.
    if (planned.every(({ allowed }) => allowed === false))
      return [badge(`refused: ${planned[0]?.reason}`, 'bad')]
    if (!planned.every(({ allowed }) => allowed === true)) return [badge('plan not known')]
    return [badge('passes under each plan', 'good')]
  }
  if (own.some(({ allowed }) => allowed === true)) return [badge('passes', 'good')]
  return [badge('no counter')]
}

/** The head of a plan. @param {string} plan @param {readonly LimiterFinding[]} limiters */
export function planHead(plan, limiters) {
  const isRefused = limiters.some(({ allowed }) => allowed === false)
  const isLast = limiters.some(({ chargedLast }) => chargedLast === true)
  const isTheirs = limiters.some(limiter => isInForce(limiter) === true)
  const verdict = isRefused ? 'refused' : 'passes'
  return make(
    'div',
    'heading plan',
    make('h2', 'who', `Plan ${plan}`),
    isTheirs
      ? badge(
          `${limiters.some(({ isOwn }) => isOwn) ? 'its plan' : 'charged last'}: ${verdict}`,
          isRefused ? 'bad' : 'good',
        )
      : badge(isRefused ? 'would be refused' : 'would pass'),
    make('span', 'faint', noteOf(limiters, isLast, isTheirs)),
  )
}

/** What is worth knowing of a plan besides its verdict. @param {readonly LimiterFinding[]} limiters @param {boolean} isLast @param {boolean} isTheirs */
function noteOf(limiters, isLast, isTheirs) {
  if (limiters.some(({ isOwn }) => isOwn !== undefined))
    // Who has just changed the plan may still be decided by the old one.
    return isLast && !isTheirs ? 'charged last, and not its plan' : ''
  if (isLast) return ''
  return limiters.every(({ chargedLast }) => chargedLast === undefined)
    ? 'whether the client has it is not known'
    : 'not the plan that charged it last'
}
