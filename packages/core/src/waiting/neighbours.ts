import type { TakenPlace } from './standing.ts'

/** Callers whose places follow each other, in one list for each run. */
export function neighbours(callers: readonly TakenPlace[]): TakenPlace[][] {
  const runs: TakenPlace[][] = []
  for (const caller of callers) {
    const run = runs.at(-1)
    if (run !== undefined && follows(caller, run.at(-1)!)) run.push(caller)
    else runs.push([caller])
  }
  return runs
}

function follows({ places, units }: TakenPlace, before: TakenPlace): boolean {
  return places.every((place, i) => {
    const front = before.places[i]
    if (place === undefined || front === undefined) return false
    return place.born === front.born && place.position - units[i]! === front.position
  })
}
