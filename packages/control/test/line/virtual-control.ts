// Core and `Control` in the same virtual time.
import { loadCore, type VirtualCore } from '../../../core/test/line/virtual-core.ts'
import type * as Package from '../../src/index.ts'

/** Core in virtual time, and the package of this folder. */
export type ControlledCore = VirtualCore & { readonly Control: typeof Package.Control }

/** Loads the package of this folder. */
export const withControl = (): Promise<Pick<ControlledCore, 'Control'>> => import('../../src/index.ts')

/** Loads both. Call `unloadCore` when the file is over. */
export async function loadControlled(): Promise<ControlledCore> {
  return (await loadCore(withControl)) as ControlledCore
}
