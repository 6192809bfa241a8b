export { WebhookTelemetry } from './telemetry.ts'
export type { WebhookTelemetryOptions } from './options.ts'
export type { QuotaEvent, QuotaEventType } from './quota-event.ts'
export type { OverloadEvent, OverloadEventType, ShedderDetail, WatchedShedder } from './overload-event.ts'
