// A database with transactions in this process, which a test stops and makes fail.
import type { Change, Group, LockedValues, Transaction, TxBackend } from '../../src/databases/index.ts'
import { Mode } from '../../src/store/contract.ts'
import { ruleOf } from '../algorithms/table.ts'

/** One call of `lock`. */
interface Locked {
  readonly keys: readonly string[]
  readonly looks: ReadonlySet<string>
}

/** A table, and what a test does to it. */
export interface Table extends TxBackend {
  readonly rows: Map<string, string>
  readonly locks: Locked[]
  /** How many transactions have begun, and how many are open at the most. */
  readonly begun: number
  readonly mostOpen: number
  /** The keys that another client has locked: a transaction that must lock one fails. */
  readonly heldByOthers: Set<string>
  /** While it is set, no transaction begins until it resolves. */
  gate: Promise<void> | undefined
  /** Thrown where a transaction begins, or where it commits: then the changes are kept. */
  failsAt: { readonly begin?: Error; readonly commit?: Error }
  /** The time that `lock` tells, Unix milliseconds. */
  now: number | undefined
}

/** A table of values. */
export function table(): Table {
  const rows = new Map<string, string>()
  let open = 0
  const self = {
    rows,
    locks: [] as Locked[],
    begun: 0,
    mostOpen: 0,
    heldByOthers: new Set<string>(),
    gate: undefined as Promise<void> | undefined,
    failsAt: {} as Table['failsAt'],
    now: undefined as number | undefined,
    async transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
      self.begun++
      self.mostOpen = Math.max(self.mostOpen, ++open)
      try {
        await self.gate
        if (self.failsAt.begin) throw self.failsAt.begin
        const written: Change[] = []
        const result = await work({
          async lock(keys, looks): Promise<ReadonlyMap<string, string> | LockedValues> {
            self.locks.push({ keys, looks })
            const held = keys.find(key => self.heldByOthers.has(key) && !looks.has(key))
            if (held !== undefined) throw new Error(`the lock of ${held} is not to be had`)
            const values = new Map(rows)
            return self.now === undefined ? values : { values, now: self.now }
          },
          async write(changes) {
            written.push(...changes)
          },
        })
        for (const { key, value } of written)
          if (value === undefined) rows.delete(key)
          else rows.set(key, value)
        if (self.failsAt.commit) throw self.failsAt.commit
        return result
      } finally {
        open--
      }
    },
    async remove(keys: readonly string[]): Promise<number> {
      self.mostOpen = Math.max(self.mostOpen, ++open)
      await self.gate
      open--
      return keys.filter(key => rows.delete(key)).length
    },
  }
  return self
}

/** A fixed window of five units in a year. */
export const RULE = ruleOf({ algorithm: 'fixed-window', limit: 5, window: 366 * 86_400 })

/** A group that asks one unit of each subject. */
export function asks(...subjects: string[]): Group {
  return { demands: subjects.map(subject => demandOf(subject, Mode.CHARGE)) }
}

/** A group that only looks at counters. */
export function looksAt(...subjects: string[]): Group {
  return { demands: subjects.map(subject => demandOf(subject, Mode.PEEK)) }
}

function demandOf(subject: string, mode: Mode): Group['demands'][number] {
  return { rule: RULE, subject, cost: 1, mode, penalized: false }
}
