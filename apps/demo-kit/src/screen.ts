/** The parts of a terminal, or of a file, that a screen uses. */
export interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
  hasColors?(): boolean
}

/** Draws pictures one over the other. In a file or a pipe only the last picture appears. */
export class Screen {
  readonly #output: Output
  #drawn = 0

  constructor(output: Output) {
    this.#output = output
  }

  /** Whether pictures move. */
  get isLive(): boolean {
    return this.#output.isTTY === true
  }

  /** Whether the terminal shows colours, and nobody turned them off by `NO_COLOR`. */
  get hasColours(): boolean {
    return this.isLive && this.#output.hasColors?.() === true
  }

  /** The columns of the terminal. */
  get width(): number {
    return this.#output.columns ?? 80
  }

  print(line: string): void {
    this.#output.write(`${line}\n`)
  }

  /** Draws a picture over the last one. */
  draw(lines: readonly string[]): void {
    if (!this.isLive) return
    // Up to the first line of the last picture; each line then clears what is left of the old one.
    if (this.#drawn > 0) this.#output.write(`\u001B[${this.#drawn}A`)
    for (const line of lines) this.#output.write(`\u001B[2K${line}\n`)
    this.#drawn = lines.length
  }

  /** Draws the last picture. What is printed next comes below it. */
  end(lines: readonly string[]): void {
    if (this.isLive) this.draw(lines)
    else for (const line of lines) if (line.trim() !== '') this.print(line)
    this.#drawn = 0
  }
}
