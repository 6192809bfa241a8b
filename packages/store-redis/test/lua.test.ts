// The script is written with names and runs with numbers. Both must have the meaning of the TypeScript.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

import { Mode, PenaltyMode } from '@halt/core/store'
import { translate } from '../../../tools/lua-names.mjs'

const decide = readFileSync(new URL('../src/lua/decide.lua', import.meta.url), 'utf8')

/** The names and numbers of an enum of decide.lua. */
function enumOf(name: string): Record<string, number> {
  const [, fields = ''] = new RegExp(`^--@ enum ${name}: (.+)$`, 'm').exec(decide) ?? []
  return Object.fromEntries(
    fields.split(' ').map(field => {
      const [key = '', value] = field.split('=')
      return [key, Number(value)]
    }),
  )
}

describe('decide.lua', () => {
  it('decide.lua gives each mode the number of the contract', () => {
    expect(enumOf('MODE')).toEqual(Mode)
    expect(enumOf('PENALTY')).toEqual(PenaltyMode)
  })
})

describe('the printer of the script', () => {
  const lua = (...lines: string[]): string => translate(lines.join('\n'), () => 'x = MODE.B\n-- why')

  it('the printer turns fields into indexes, enums into numbers and constructors into lists', () => {
    expect(
      lua(
        '--@ record item first: key cost=3',
        '--@ enum MODE: A=0 B=7',
        'local item = item{ cost = f(1, { 2, 3 }), key = "k" }',
        'if item.key == MODE.B then return first.cost end -- why',
      ),
    ).toBe('local item = { "k", false, f(1, { 2, 3 }) }\nif item[1] == 7 then return first[3] end -- why')
  })

  it('the printer inserts an included file without its comments', () => {
    expect(lua('--@ enum MODE: B=7', 'a = 1', '  --@ include "b.lua"', 'c = 3')).toBe('a = 1\nx = 7\nc = 3')
  })

  it('the printer keeps the names of Lua libraries', () => {
    expect(lua('--@ record item: key', 'math.ceil(struct.unpack(v))')).toBe('math.ceil(struct.unpack(v))')
  })

  it.each([
    ['--@ record item: key\nreturn item.kye', 'item has no kye.'],
    ['--@ record item: key\nreturn item{ kye = 1 }', 'item has no field kye.'],
    ['--@ enum MODE: A=0\nreturn MODE.B', 'MODE has no B.'],
    ['return items[1].key', '"].key" names a field of something that is not a record. Give it a local name.'],
  ])('the printer refuses a name that nothing declares: %j', (source, message) => {
    expect(() => lua(source)).toThrow(message)
  })
})
