import type { StoreFactory } from '@halt/conformance'

import { isFull } from '../../../tools/full.ts'
import type { DurableObjectStoreOptions } from '../src/index.ts'

const histories = isFull ? 2 : 1
const steps = isFull ? 100 : 50

/** The stores that the suite tests, without the function that makes them. */
export const FACTORIES: readonly (Omit<StoreFactory, 'make'> & Pick<DurableObjectStoreOptions, 'objects'>)[] =
  [
    { name: 'DurableObjectStore in one object', objects: 1, histories, steps },
    {
      name: 'DurableObjectStore with an object per subject',
      objects: 'per-subject',
      histories,
      steps,
      oneInstant: false,
    },
  ]
