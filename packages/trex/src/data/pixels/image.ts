/** An 8-bit RGB image; `data` is [height, width, 3], row-major. */
export interface RgbImage {
  data: Uint8Array
  width: number
  height: number
}

/** A rectangle of whole pixels inside an image. */
export interface Box {
  top: number
  left: number
  height: number
  width: number
}

/** A new black image. */
export function blankImage(width: number, height: number): RgbImage {
  return { data: new Uint8Array(width * height * 3), width, height }
}

/** The pixels inside `box`, as a new image. */
export function cropImage(image: RgbImage, box: Box): RgbImage {
  const out = blankImage(box.width, box.height)
  const rowBytes = box.width * 3
  for (let y = 0; y < box.height; y++) {
    const from = ((box.top + y) * image.width + box.left) * 3
    out.data.set(image.data.subarray(from, from + rowBytes), y * rowBytes)
  }
  return out
}

/** Mirrors an image left to right, in place. */
export function flipHorizontal(image: RgbImage): void {
  const { data, width, height } = image
  for (let y = 0; y < height; y++) {
    let a = y * width * 3
    let b = a + (width - 1) * 3
    for (; a < b; a += 3, b -= 3) {
      for (let c = 0; c < 3; c++) {
        const moved = data[a + c]!
        data[a + c] = data[b + c]!
        data[b + c] = moved
      }
    }
  }
}

/** The nearest integer, halves to the even one (Python's `round`). */
export function roundHalfEven(x: number): number {
  const low = Math.floor(x)
  const fraction = x - low
  if (fraction !== 0.5) return fraction < 0.5 ? low : low + 1
  return low % 2 === 0 ? low : low + 1
}
