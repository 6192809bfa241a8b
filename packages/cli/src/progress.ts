import type { CliIo } from './io.ts'
import { grouped, ofLines } from './table.ts'

const EVERY_MS = 200
const WIDTH = 24

/** Shows how far a command is, in one line on standard error. Shows nothing if that is not a terminal. */
export class Progress {
  readonly #io: CliIo
  readonly #total: number | undefined
  readonly #label: string
  readonly #started = performance.now()
  #shown = 0

  /** @param total bytes; undefined if unknown */
  constructor(io: CliIo, label: string, total: number | undefined) {
    this.#io = io
    this.#total = total
    this.#label = label
  }

  update({ bytes, lines }: { readonly bytes: number; readonly lines: number }): void {
    const now = performance.now()
    if (this.#io.stderr.isTTY !== true || now - this.#shown < EVERY_MS) return
    this.#shown = now
    const rate = `${ofLines(lines)}, ${grouped(Math.round((lines / (now - this.#started)) * 1000))} per second`
    const share =
      this.#total === undefined || this.#total === 0 ? undefined : Math.min(1, bytes / this.#total)
    const bar =
      share === undefined
        ? ''
        : `${'█'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '░')} ${Math.round(share * 100)} % `
    this.#io.stderr.write(`\r\u001b[K${this.#label}${bar}${rate}`)
  }

  /** Removes the line. */
  end(): void {
    if (this.#shown > 0) this.#io.stderr.write('\r\u001b[K')
  }
}
