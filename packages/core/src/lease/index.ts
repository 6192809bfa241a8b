// @halt/core/lease: units that a process takes in advance, for a limiter of the kernel.
export { leases } from './lease-wing.ts'
