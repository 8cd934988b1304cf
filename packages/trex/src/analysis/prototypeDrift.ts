import { noGrad, type Tensor, tidy, where } from 'trex-torch'

/**
 * How far prototypes move: the mean over classes of ||u_after - u_before||, rows normalised (0 to 2). Classes whose row
 * is zero in either (not seen yet) are left out; 0 when no class is left. Nothing is read from the device.
 * @param before prototypes [C, D]
 * @param after the same some steps later [C, D]
 * @returns [] on their device
 */
export function prototypeDrift(before: Tensor, after: Tensor): Tensor {
  return noGrad(() =>
    tidy(() => {
      const [was, is] = [unitRows(before), unitRows(after)]
      const known = was.known.mul(is.known) //                        1 where both rows are there  [C, 1]
      const moved = is.rows.sub(was.rows).norm(2, 1, true) //         ||u_after - u_before||        [C, 1]
      return moved.mul(known).sum().div(known.sum().clamp(1)) //      mean over the known           []
    }),
  )
}

/** Rows of unit length, zero ones as they are, and 1 where a row is not zero [C, 1]. */
function unitRows(prototypes: Tensor): { rows: Tensor; known: Tensor } {
  const exact = prototypes.dtype === 'float64' ? prototypes : prototypes.to('float32')
  const norms = exact.norm(2, 1, true) // [C, 1]
  const zero = norms.eq(0)
  return {
    rows: exact.div(where(zero, norms.add(1), norms)), // [C, D]
    known: zero.logicalNot().to(exact.dtype),
  }
}
