// For bundles and edge runtimes: nobody reads warnings of probable mistakes there. index.ts has the same exports.
import type { Adviser } from '../charge/adviser.ts'

export const adviser: Adviser | undefined = undefined

export function noticeHighCost(): void {}

export function noticeSplit(): void {}

export function forgetSplit(): void {}

export function noticeFullBucket(): void {}

export function noticeMilliseconds(): void {}
