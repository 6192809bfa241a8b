// Callers of a line that the store has ended.
import { expect, it, vi } from 'vitest'

import { NOBODY_AHEAD } from '../../src/algorithms/index.ts'
import type { InLine } from '../../src/waiting/callers.ts'
import { Placing } from '../../src/waiting/placing.ts'

it('where a line is over, those whose turn has come keep their units, and the others ask for new places', () => {
  const caller = (position: number) =>
    ({ place: { born: 7, position }, demand: { cost: 1 } }) as unknown as InLine
  const callers = [caller(1), caller(2), caller(3)]
  const [first, second, third] = callers
  const place = vi.fn<() => void>()
  const placing = new Placing(
    {
      front: { isOver: true, hasLost: ({ position }: { position: number }) => position > 1 } as never,
      callers: () => callers,
      onlyHere: () => 0,
      giveBack() {},
      slowed() {},
      changed() {},
    },
    { place, owedBy: () => ({ start: 5, time: 1 }) },
  )
  placing.replaceLost()
  // A line that begins anew has none of the old places: who kept one would take it for lost, and be charged twice.
  expect(first!.place).toBe(NOBODY_AHEAD)
  expect([second!.place, third!.place]).toEqual([undefined, undefined])
  expect(place).toHaveBeenCalledWith([second, third], 0, expect.any(Function))
})
