// @ts-check
import { badge, make } from './dom.js'

/** @typedef {import('../src/desk/desk.ts').Finding} Finding */
/** @typedef {Finding['limiters'][number]} LimiterFinding */

/**
 * The badge over a client. Plans that are not known to be its own say nothing about it.
 * @param {readonly LimiterFinding[]} limiters @param {Finding['counted']} counted
 */
export function conclusion(limiters, counted) {
  const own = limiters.filter(({ plan, chargedLast }) => plan === undefined || chargedLast === true)
  const refusing = own.find(({ allowed }) => allowed === false)
  if (refusing !== undefined) return [badge(`refused: ${refusing.reason}`, 'bad')]
  for (const { key, now } of counted) {
    const other = now.find(({ allowed }) => allowed === false)
    if (other !== undefined) return [badge(`refused by ${key}: ${other.reason}`, 'bad')]
  }
  const planned = limiters.filter(({ plan }) => plan !== undefined)
  if (planned.length > 0 && !planned.some(({ chargedLast }) => chargedLast)) {
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
  const isUnknown = limiters.every(({ chargedLast }) => chargedLast === undefined)
  const verdict = isRefused ? 'refused' : 'passes'
  return make(
    'div',
    'heading plan',
    make('h2', 'who', `Plan ${plan}`),
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
