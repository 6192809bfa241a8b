/** A canvas in CSS pixels, with the colours of the page's theme. */
export interface Pen {
  readonly context: CanvasRenderingContext2D
  readonly width: number
  readonly height: number
  /** A colour of style.css, by the end of its name: `admitted`, `refused`, `text`, `soft`, `line`, `window`. */
  readonly colour: (name: string) => string
}

/** Clears a canvas and makes a pen for it; undefined while the canvas is not shown. */
export function penOf(canvas: HTMLCanvasElement): Pen | undefined {
  const { clientWidth: width, clientHeight: height } = canvas
  const context = canvas.getContext('2d')
  if (context === null || width === 0) return undefined
  const scale = window.devicePixelRatio
  const [wide, high] = [Math.round(width * scale), Math.round(height * scale)]
  // To set a size clears the canvas, and takes long.
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high })
  context.setTransform(scale, 0, 0, scale, 0, 0)
  context.clearRect(0, 0, width, height)
  context.font = '12px system-ui, sans-serif'
  const style = getComputedStyle(canvas)
  return { context, width, height, colour: name => style.getPropertyValue(`--play-${name}`) }
}
