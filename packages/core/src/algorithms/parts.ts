/** The index of the bits that name the parts which a bucket has behind its own five numbers. */
export const PARTS = 5
/** The bit of a line: callers wait for the bucket. */
export const LINE = 1
/** The bit of a virtual clock: tenants take fair shares of the bucket. */
export const CLOCK = 2
