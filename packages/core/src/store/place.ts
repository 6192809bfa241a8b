import type { Store } from './contract.ts'

type Placed = Pick<Store, 'place' | 'kind'>

/**
 * Whether two stores may share their data. They do not if both know a part of their places, and the parts differ. A store that tells no
 * place may share its data with every other one, so that nobody is warned falsely.
 */
export function mayShareData(a: Placed, b: Placed): boolean {
  if (a === b) return true
  const [own, other] = [placeOf(a), placeOf(b)]
  return own.every((part, i) => part === undefined || other[i] === undefined || part === other[i])
}

/** The place of a store in words: `a redis store with the prefix "halt:" at localhost:6379/0`. */
export function placeInWords(store: Placed): string {
  const [kind = store.kind ?? 'custom', prefix, server] = placeOf(store)
  return [
    `a ${String(kind)} store`,
    ...(typeof prefix === 'string' ? [`with the prefix ${JSON.stringify(prefix)}`] : []),
    ...(typeof server === 'string' ? [`at ${server}`] : []),
  ].join(' ')
}

function placeOf({ place }: Placed): readonly unknown[] {
  return Array.isArray(place) ? place : []
}
