import { LabelSet } from '@halt/core'
import type { DecisionMetadata, Reason } from '@halt/core'

import type { DurationFamily, Durations } from './durations.ts'
import type { Cell, Family } from './family.ts'

/** The metrics that have cells for each policy. */
export interface PolicyFamilies {
  readonly checks: Family<'policy' | 'algorithm' | 'outcome' | 'store'>
  readonly remaining: Family<'policy'>
  readonly nearLimit: Family<'policy'>
  readonly durations: DurationFamily
}

/** The cells of one policy, where one kind of store keeps it. */
export interface PolicyRow {
  readonly algorithm: string
  readonly store: string
  readonly allowed: Cell
  readonly blocked: Cell
  readonly shadow_blocked: Cell
  readonly durations: Durations
}

/** The cells of a yes and a no. */
interface Answers {
  allowed?: Cell
  blocked?: Cell
}

/** The cells of one policy. */
export interface PolicyCells {
  readonly name: string
  readonly rows: PolicyRow[]
  readonly remaining: Cell
  readonly nearLimit: Cell
  readonly reasons: Partial<Record<Reason, Cell>>
  /** What it said in shadow. Filled when it first says so, as are those of a quota. */
  readonly shadow: Answers
  readonly quota: Answers
}

/**
 * The policies that have labels of their own, and one entry for all others: bounded, though policies may be made at run
 * time. A check finds its cells here by two look-ups.
 */
export class PolicyTable {
  readonly #families: PolicyFamilies
  readonly #names: LabelSet
  // Stores are few; but a custom one may call itself anything.
  readonly #stores = new LabelSet(20)
  readonly #cells = new Map<string, PolicyCells>()
  // The policy that decided is nearly always the one whose verdict comes next.
  #last = ''
  #lastCells: PolicyCells | undefined

  constructor(families: PolicyFamilies, maxPolicies: number) {
    this.#families = families
    this.#names = new LabelSet(maxPolicies)
  }

  /** The cells of a policy, or of all those without room. */
  of(policy: string): PolicyCells {
    if (policy === this.#last && this.#lastCells !== undefined) return this.#lastCells
    this.#last = policy
    return (this.#lastCells = this.#cells.get(policy) ?? this.#make(this.labelOf(policy)))
  }

  /** The cells of a policy for the algorithm and the store of a check. */
  row({ rows, name }: PolicyCells, { algorithm, store }: DecisionMetadata): PolicyRow {
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as PolicyRow
      if (row.store === store && row.algorithm === algorithm) return row
    }
    return this.#addRow(rows, name, algorithm, this.storeLabel(store))
  }

  /** The label of a policy. Where none was found there is no name. */
  labelOf(policy: string): string {
    return this.#names.of(policy === '' ? 'none' : policy)
  }

  storeLabel(store: string): string {
    return this.#stores.of(store)
  }

  #make(name: string): PolicyCells {
    const known = this.#cells.get(name)
    if (known !== undefined) return known
    const { remaining, nearLimit } = this.#families
    const cells: PolicyCells = {
      name,
      rows: [],
      remaining: remaining.cell(name),
      nearLimit: nearLimit.cell(name),
      reasons: {},
      shadow: {},
      quota: {},
    }
    this.#cells.set(name, cells)
    return cells
  }

  #addRow(rows: PolicyRow[], name: string, algorithm: string, store: string): PolicyRow {
    const known = rows.find(row => row.store === store && row.algorithm === algorithm)
    if (known !== undefined) return known
    const { checks, durations } = this.#families
    const cell = (outcome: string): Cell => checks.cell(name, algorithm, outcome, store)
    const row = {
      algorithm,
      store,
      allowed: cell('allowed'),
      blocked: cell('blocked'),
      shadow_blocked: cell('shadow_blocked'),
      durations: durations.of(store),
    }
    rows.push(row)
    return row
  }
}
