import type { LimitState, ShedderState } from './state.ts'

/** Says what a shedder does, in words: a line for the whole, and one for each route that is refused. */
export function explain(state: ShedderState): string {
  const { name, mode, limits, perRound } = state
  if (mode === 'off') return `${name}: off, all requests pass.`
  if (limits.length === 0) return `${name}: no request has come yet.`
  const isShadow = mode === 'shadow'
  const round = perRound === undefined ? '' : `, a round of the event loop admits ${perRound}`
  const lines = [
    `${name}: ${state.inFlight} in flight${round}, ${doing(state, isShadow)}.`,
    ...limits
      .filter(({ shedRoutes }) => shedRoutes.length > 0)
      .map(limit => `${name}, ${limit.route}: ${placesOf(limit)}, ${doing(limit, isShadow)}.`),
  ]
  return lines.map(line => (isShadow ? `${line} Shadow: nothing is refused.` : line)).join('\n')
}

function placesOf({ inFlight, limit, sharedWith }: LimitState): string {
  const shared = sharedWith.length === 0 ? '' : `, which it shares with ${sharedWith.join(' and ')}`
  return `${inFlight} of ${Math.ceil(limit)} in flight${shared}`
}

function doing({ sheds, sheddingMs, cause, ageMs, insideMs, calmMs }: LimitState, isShadow: boolean): string {
  const times = `requests wait ${ms(ageMs)} before the handler, ${ms(insideMs)} inside, ${ms(calmMs)} when calm`
  if (sheds.length === 0) return `sheds nothing; ${times}`
  const what = `${isShadow ? 'would shed' : 'sheds'} ${sheds.toReversed().join(' and ')} for ${seconds(sheddingMs)}`
  const why = cause === 'loop' ? 'the event loop is full' : 'something behind the handlers is full or slow'
  return `${what}, because ${why}; ${times}`
}

function ms(value: number): string {
  return `${value >= 10 ? Math.round(value) : Math.round(value * 10) / 10} ms`
}

function seconds(value: number): string {
  return `${Math.max(1, Math.round(value / 1000))} s`
}
