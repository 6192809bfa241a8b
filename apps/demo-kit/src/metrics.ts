import { PrometheusTelemetry } from '@halt/telemetry-prometheus'
import { Registry } from 'prom-client'

import { type Answer, answer } from './answer.ts'

/** The path of the metrics. */
export const METRICS = '/metrics'

/** The metrics of an app, for Prometheus to collect. */
export class Metrics {
  readonly #register = new Registry()
  readonly telemetry: PrometheusTelemetry = new PrometheusTelemetry({ register: this.#register })

  async answer(): Promise<Answer> {
    return answer(200, this.#register.contentType, await this.#register.metrics())
  }
}
