import { describe, expect, it } from 'vitest'

import { Screen } from '../src/screen.ts'

function output(isTTY: boolean, colours = true) {
  let text = ''
  return {
    isTTY,
    columns: 100,
    write: (more: string) => void (text += more),
    hasColors: () => colours,
    text: () => text,
  }
}

describe('a screen', () => {
  it('a screen draws a picture over the last one in a terminal', () => {
    const terminal = output(true)
    const screen = new Screen(terminal)
    screen.draw(['one', 'two'])
    screen.draw(['three', 'four'])
    screen.end(['five', 'six'])
    screen.print('below')
    expect(terminal.text().split('\u001B[2A')).toHaveLength(3)
    expect(terminal.text()).toMatch(/five\n.*six\nbelow\n$/)
  })

  it('a screen writes only the last picture, and no escape, into a file', () => {
    const file = output(false)
    const screen = new Screen(file)
    screen.draw(['one', ''])
    screen.end(['two', ''])
    expect(file.text()).toBe('two\n')
  })

  it('a screen has colours only in a terminal that shows them', () => {
    expect(new Screen(output(true)).hasColours).toBe(true)
    expect(new Screen(output(true, false)).hasColours).toBe(false)
    expect(new Screen(output(false)).hasColours).toBe(false)
  })
})
