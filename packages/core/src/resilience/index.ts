// @halt/core/resilience: what decides when a store does not answer. Stores bring it to a limiter of the kernel.
export { resilience } from './guarded-store.ts'
