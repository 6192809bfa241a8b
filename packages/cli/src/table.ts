/** Aligns rows in columns: the first to the left, the others, which hold numbers, to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map(row => row[column]?.length ?? 0)))
  return all.map(row =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  )
}

/** A whole number with thin groups: `1 234 567`. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ' ')
}

/** A number of lines: `1 line`, `2 000 lines`. */
export function ofLines(count: number): string {
  return `${grouped(count)} ${count === 1 ? 'line' : 'lines'}`
}

/** A share in percent: `1.25 %`. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return '0 %'
  const value = (part / whole) * 100
  return `${value === 0 || value >= 10 ? Math.round(value) : Number(value.toPrecision(2))} %`
}
