import { cat, F, type Tensor, tidy } from 'trex-torch'

/**
 * A position embedding [1, 1 + S^2, D] at another grid, [1, 1 + rows * columns, D]: the class token's vector stays, the
 * patches' are interpolated bicubically, with a gradient. As in DINO the scale is that of a grid larger by 0.1, which
 * moves the sampling points a little; it came from guarding a rounding there, and published weights go with it.
 * @throws RangeError when the patches of the embedding are no square.
 */
export function positionsAt(positions: Tensor, [rows, columns]: readonly [number, number]): Tensor {
  const patches = positions.size(1) - 1
  const side = Math.round(Math.sqrt(patches))
  if (side * side !== patches || side === 0)
    throw new RangeError(`a position embedding of ${patches} patches belongs to no square image`)
  if (rows === side && columns === side) return positions
  return tidy(() => {
    const width = positions.size(2)
    const grid = positions.narrow(1, 1, patches).reshape(1, side, side, width).permute(0, 3, 1, 2) // [1, D, S, S]
    const scale = [(rows + 0.1) / side, (columns + 0.1) / side] as const
    const resized = F.upsampleBicubic2d(grid, [rows, columns], scale) // [1, D, rows, columns]
    return cat([positions.narrow(1, 0, 1), resized.flatten(2).transpose(1, 2)], 1) // [1, 1 + rows * columns, D]
  })
}
