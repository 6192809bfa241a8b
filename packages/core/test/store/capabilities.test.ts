import { expect, it } from 'vitest'

import { capabilitiesOf } from '../../src/store/capabilities.ts'

class Charging {
  readonly kind = 'charging'
  readonly isChecked = true
  evaluate(): void {}
  charge(): void {}
}

it('a store of evaluate() and forget() alone has the default of every capability', async () => {
  const can = capabilitiesOf({ evaluate: () => undefined, forget: () => 0 })
  expect(can).toMatchObject({ kind: 'custom', keepsPace: false, isChecked: false, document: undefined })
  expect([can.size(), can.instances(), can.chargesAlone()]).toEqual([undefined, 1, false])
  await expect(can.probe()).resolves.toBe(undefined)
  expect(() => can.onReconnect(() => {})).not.toThrow()
})

it('a member of another type than the contract says is ignored', async () => {
  const can = capabilitiesOf({
    kind: 7,
    keepsPace: 1,
    isChecked: 'yes',
    size: 'many',
    probe: true,
    document: {},
  })
  expect(can).toMatchObject({ kind: 'custom', keepsPace: false, isChecked: false, document: undefined })
  expect(can.size()).toBe(undefined)
  await expect(can.probe()).resolves.toBe(undefined)
})

it('a probe that throws rejects', async () => {
  const gone = (): never => {
    throw new Error('gone')
  }
  await expect(capabilitiesOf({ probe: gone }).probe()).rejects.toThrow('gone')
})

it('the capabilities of a store are found out once, and anything but an object has none', () => {
  const store = new Charging()
  expect(capabilitiesOf(store)).toBe(capabilitiesOf(store))
  expect(capabilitiesOf(store)).toMatchObject({ kind: 'charging', isChecked: true })
  for (const nothing of [undefined, null, 'redis', 3]) expect(capabilitiesOf(nothing).kind).toBe('custom')
})

it('a store whose evaluate() was replaced is not charged past it', () => {
  const store = new Charging()
  const can = capabilitiesOf(store)
  expect(can.chargesAlone()).toBe(true)
  store.evaluate = () => {}
  expect(can.chargesAlone()).toBe(false)
})
