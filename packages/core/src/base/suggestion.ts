/** The name among `known` that a misspelt one most likely means; undefined when none is near. */
export function suggest(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase()
  const begins = known.find(other => other.toLowerCase().startsWith(wanted.slice(0, 4)))
  if (begins !== undefined && wanted.length >= 4) return begins
  const [closest] = known
    .map(other => ({ other, distance: edits(wanted, other.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
  return closest !== undefined && closest.distance <= 2 && closest.distance < wanted.length - 1
    ? closest.other
    : begins
}

/** How many letters are to be added, left out, changed or exchanged with their neighbour. */
function edits(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row[j] = Math.min(
        (last[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (last[j - 1] as number) + same,
        swapped ? (before[j - 2] as number) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    ;[before, last] = [last, row]
  }
  return last[b.length] as number
}
