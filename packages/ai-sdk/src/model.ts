// The types of the AI SDK that a middleware meets.
import type { LanguageModelMiddleware } from 'ai'

type Stream = Parameters<NonNullable<LanguageModelMiddleware['wrapStream']>>[0]

/** A language model. */
export type Model = Stream['model']

/** What a model is asked: the prompt, the tools and the settings. */
export type CallParams = Stream['params']

/** What a model answers as a stream. */
type StreamResult = Awaited<ReturnType<Stream['doStream']>>

/** A part of a stream. */
export type StreamPart = StreamResult['stream'] extends ReadableStream<infer Part> ? Part : never

/** The tokens that a model reports. */
export type ReportedUsage = Extract<StreamPart, { type: 'finish' }>['usage']
