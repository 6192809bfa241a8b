import type { LimitState, ShedderState } from './state.ts'

/** Says what a shedder does, in words. One line for each limit. */
export function explain({ name, mode, limits }: ShedderState): string {
  if (mode === 'off') return `${name}: off, all requests pass.`
  if (limits.length === 0) return `${name}: no request has come yet.`
  const suffix = mode === 'shadow' ? ' Shadow: nothing is refused.' : ''
  return limits.map(limit => `${line(name, limit, mode === 'shadow')}${suffix}`).join('\n')
}

function line(name: string, limit: LimitState, isShadow: boolean): string {
  const { route, inFlight, sheds, shedRoutes, sheddingMs, cause, ageMs, insideMs, calmMs } = limit
  const who = route === undefined ? name : `${name}, ${route}`
  const places = `${inFlight} of ${Math.ceil(limit.limit)} in flight`
  const times = `requests wait ${ms(ageMs)} before the handler, ${ms(insideMs)} inside, ${ms(calmMs)} when calm`
  if (sheds.length === 0) return `${who}: ${places}, sheds nothing; ${times}.`
  const of = shedRoutes.length === 0 ? '' : ` of ${shedRoutes.join(' and ')}`
  const what = `${isShadow ? 'would shed' : 'sheds'} ${sheds.toReversed().join(' and ')}${of} for ${seconds(sheddingMs)}`
  const why = cause === 'loop' ? 'the event loop is full' : 'something behind the handlers is full or slow'
  return `${who}: ${places}, ${what}, because ${why}; ${times}.`
}

function ms(value: number): string {
  return `${value >= 10 ? Math.round(value) : Math.round(value * 10) / 10} ms`
}

function seconds(value: number): string {
  return `${Math.max(1, Math.round(value / 1000))} s`
}
