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

/** The cells of one policy for one algorithm and one kind of store. */
export interface PolicyRow {
  readonly algorithm: string
  readonly store: string
  readonly allowed: Cell
  readonly blocked: Cell
  readonly shadow_blocked: Cell
  readonly durations: Durations
}

/** The cells of allowed and of blocked answers. */
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
  /** Verdicts in shadow. These cells and the cells of `quota` are made at the first verdict. */
  readonly shadow: Answers
  readonly quota: Answers
}

/**
 * The cells of each policy that has labels of its own, and one entry for all others. So it stays bounded, although policies
 * may be made at run time. A check finds its cells by two look-ups.
 */
export class PolicyTable {
  readonly #families: PolicyFamilies
  readonly #names: LabelSet
  // There are few stores, but a custom store may choose any name.
  readonly #stores = new LabelSet(20)
  readonly #cells = new Map<string, PolicyCells>()
  // The last policy, because the policy that decided is nearly always the one whose verdict comes next.
  #last = ''
  #lastCells: PolicyCells | undefined

  constructor(families: PolicyFamilies, maxPolicies: number) {
    this.#families = families
    this.#names = new LabelSet(maxPolicies)
  }

  /** The cells of a policy, or the shared ones if the table is full. */
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

  /** The label of a policy; `none` if no policy was found. */
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
