import type { Table } from './table.ts'

/**
 * The tables of a store, by name and in endless turn.
 *
 * The turn is an index, not an iterator: V8 keeps each former hash table of a map for as long as an iterator stands in it, so an
 * iterator that nobody moves grows with every table that comes and goes.
 */
export class Tables {
  readonly #byName = new Map<string, Table>()
  readonly #list: Table[] = []
  #turn = 0

  get size(): number {
    return this.#list.length
  }

  /** All tables, in no order that means anything. */
  get all(): readonly Table[] {
    return this.#list
  }

  get(name: string): Table | undefined {
    return this.#byName.get(name)
  }

  add(table: Table): void {
    this.#byName.set(table.name, table)
    table.index = this.#list.push(table) - 1
  }

  /** Removes a table that is here. The last one takes its index. */
  remove(table: Table): void {
    this.#byName.delete(table.name)
    const last = this.#list.pop()!
    if (last === table) return
    this.#list[table.index] = last
    last.index = table.index
  }

  /** The table whose turn it is. There must be one. */
  get current(): Table {
    if (this.#turn >= this.#list.length) this.#turn = 0
    return this.#list[this.#turn]!
  }

  /** The next table, in endless turn. There must be one. */
  next(): Table {
    this.#turn++
    return this.current
  }

  clear(): void {
    this.#byName.clear()
    this.#list.length = 0
  }
}
