import { TrexError } from '../errors.js'

const A = -0.75 // the coefficient of PyTorch's cubic kernel

/**
 * A position embedding [1 + S^2, D] at another grid, [1 + rows * columns, D]: `method/vitPositions.ts` without the
 * engine. The class token's vector stays, the patches' are interpolated bicubically at DINO's scale.
 * @throws TrexError when the patches of the embedding are no square.
 */
export function positionsAt(
  positions: Float32Array,
  width: number,
  [rows, columns]: readonly [number, number],
): Float32Array {
  const side = Math.round(Math.sqrt(positions.length / width - 1))
  if (side < 1 || (side * side + 1) * width !== positions.length)
    throw new TrexError('the position embedding of the weights belongs to no square image', {
      hint: 'choose a vision transformer that was trained on square images',
    })
  if (rows === side && columns === side) return positions
  const resized = new Float32Array((1 + rows * columns) * width)
  resized.set(positions.subarray(0, width))
  const across = Array.from({ length: columns }, (_, x) => taps(x, side, columns))
  for (let y = 0; y < rows; y++) {
    const down = taps(y, side, rows)
    for (const [x, columnTaps] of across.entries()) {
      const sum = new Float64Array(width)
      for (const [row, v] of down)
        for (const [column, h] of columnTaps) {
          const from = (1 + row * side + column) * width
          for (let i = 0; i < width; i++) sum[i]! += v * h * positions[from + i]!
        }
      resized.set(sum, (1 + y * columns + x) * width)
    }
  }
  return resized
}

/** The four places that a place of the larger or smaller grid is made of, and their weights. */
function taps(place: number, from: number, to: number): (readonly [number, number])[] {
  const at = ((place + 0.5) * from) / (to + 0.1) - 0.5
  const first = Math.floor(at)
  return [-1, 0, 1, 2].map((offset) => {
    const index = Math.min(Math.max(first + offset, 0), from - 1) // the border goes on outside
    return [index, cubic(Math.abs(at - first - offset))] as const
  })
}

/** Keys' cubic convolution kernel. */
function cubic(x: number): number {
  if (x <= 1) return ((A + 2) * x - (A + 3)) * x * x + 1
  return x < 2 ? ((x - 5) * x + 8) * x * A - 4 * A : 0
}
