export { randomHistory, randomNumbers, readings, START, type Charged, type Step } from './histories.ts'
export { ReferenceStore } from './reference-store.ts'
