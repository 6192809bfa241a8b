import type { StoreFactory } from '@halt/conformance'

import type { DurableObjectStoreOptions } from '../src/index.ts'

/** The stores that the suite tests, without the function that makes them. */
export const FACTORIES: readonly (Omit<StoreFactory, 'make'> & Pick<DurableObjectStoreOptions, 'objects'>)[] =
  [
    { name: 'DurableObjectStore in one object', objects: 1, histories: 2, steps: 100 },
    {
      name: 'DurableObjectStore with an object per subject',
      objects: 'per-subject',
      histories: 2,
      steps: 100,
      oneInstant: false,
    },
  ]
