// @ts-check
import { badge, button, make } from './dom.js'
import { span, whole } from './words.js'

/** @typedef {import('../src/desk/desk.ts').Finding} Finding */
/** @typedef {Finding['limiters'][number]} LimiterFinding */

/** The other keys on which requests of the client were counted lately. @param {Finding['counted']} counted */
export function countedCard(counted) {
  return make(
    'div',
    'card more counted',
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
    make('p', 'faint', 'The processes look at samples, so there may be others.'),
  )
}

/** @param {string} policy @param {boolean} allowed @param {string} reason @param {number} at @param {readonly LimiterFinding[]} now */
function countedRow(policy, allowed, reason, at, now) {
  const limiter = now.find(({ policies }) => policies.some(each => each.policy === policy))
  const found = limiter?.policies.find(each => each.policy === policy)
  // An operator decides in place of the counter.
  const isSet = found?.exemption !== undefined
  const [passes, why] =
    found === undefined
      ? [allowed, reason]
      : isSet
        ? [limiter?.allowed === true, limiter?.reason ?? '']
        : [found.allowed, found.reason]
  const left =
    found === undefined
      ? `${span(Date.now() - at)} ago`
      : (found.exemption ?? `${whole(found.remaining)} of ${whole(found.limit)} left`)
  return make(
    'p',
    'row',
    make('b', '', policy),
    badge(passes ? 'passes' : why, passes ? 'good' : 'bad'),
    make('span', 'figure faint', left),
  )
}
