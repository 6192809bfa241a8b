// The exports of a Worker at whose addresses the apps of the suite are.
import { type Entrypoint, portOf } from './suite-apps.ts'

export const port0: Entrypoint = portOf(0)
export const port1: Entrypoint = portOf(1)
export const port2: Entrypoint = portOf(2)
export const port3: Entrypoint = portOf(3)
export const port4: Entrypoint = portOf(4)
export const port5: Entrypoint = portOf(5)
export const port6: Entrypoint = portOf(6)
export const port7: Entrypoint = portOf(7)
export const port8: Entrypoint = portOf(8)
export const port9: Entrypoint = portOf(9)
