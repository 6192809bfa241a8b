export { WebhookTelemetry } from './telemetry.ts'
export type { WebhookTelemetryOptions } from './options.ts'
export type { QuotaEvent, QuotaEventType } from './quota-event.ts'
