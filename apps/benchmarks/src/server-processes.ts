import { readdirSync, readFileSync } from 'node:fs'

const TICK_US = 10_000

/**
 * The CPU time of a database server so far, in microseconds: its process, the processes that it has started, and those that have ended.
 * NaN where the system has no /proc.
 */
export function serverCpu(pid: number): number {
  try {
    return readdirSync('/proc')
      .filter(name => /^\d+$/.test(name))
      .map(name => statOf(name))
      .filter(stat => stat !== undefined && (stat.pid === pid || stat.parent === pid))
      .reduce((sum, stat) => sum + (stat?.ticks ?? 0) * TICK_US, 0)
  } catch {
    return Number.NaN
  }
}

function statOf(name: string): { pid: number; parent: number; ticks: number } | undefined {
  try {
    const text = readFileSync(`/proc/${name}/stat`, 'utf8')
    // The name of the process stands in parentheses, and may hold spaces.
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const [, parent = 0] = fields
    // User and system time, then those of children that have ended.
    const ticks = fields.slice(11, 15).reduce((sum, value) => sum + value, 0)
    return { pid: Number(name), parent, ticks }
  } catch {
    return undefined
  }
}
