import { filterColumns } from './columns'
import { newCrop, planeBytes, planes, stride, width } from './crop'
import { allocate, base, release } from './memory'
import { filterRows, unweaveRows, weaveRows } from './rows'
import { computeTaps, Taps } from './taps'

let imageWidth: i32 = 0
/** End of the image; what is made of it lies behind. */
let imageEnd: usize = 0

/** Makes room for an image, packed RGB, and returns its address; all that was there before is void. */
export function newImage(width: i32, height: i32): usize {
  release(base())
  imageWidth = width
  // Rows are read 16 bytes, five pixels, at a time: up to four pixels behind the last one.
  const bytes = (<u64>width * height * 3 + 31) & ~15
  const address = allocate(bytes)
  imageEnd = address + <usize>bytes
  return address
}

/**
 * Makes the crop: the box at (left, top) of the image is resized to outWidth x outHeight, of which the window of
 * windowWidth x windowHeight pixels at (windowLeft, windowTop) is put at (atX, atY) of a black cropWidth x cropHeight,
 * mirrored if `flip` says so.
 */
export function resize(
  left: i32,
  top: i32,
  boxWidth: i32,
  boxHeight: i32,
  outWidth: f64,
  outHeight: f64,
  windowLeft: f64,
  windowTop: f64,
  windowWidth: i32,
  windowHeight: i32,
  atX: i32,
  atY: i32,
  cropWidth: i32,
  cropHeight: i32,
  bicubic: bool,
  flip: bool,
): void {
  release(imageEnd)
  newCrop(cropWidth, cropHeight)
  if (windowHeight < cropHeight) memory.fill(planes, 0, 3 * planeBytes)
  const across = computeTaps(boxWidth, outWidth, windowLeft, windowWidth, bicubic)
  const down = computeTaps(boxHeight, outHeight, windowTop, windowHeight, bicubic)
  const image = base() + (<usize>top * imageWidth + left) * 3
  const firstPixel = flip ? width - 1 - atX : atX
  resizeWindow(image, boxWidth, boxHeight, across, down, windowWidth, windowHeight, firstPixel, atY, flip)
}

function resizeWindow(
  image: usize,
  boxWidth: i32,
  boxHeight: i32,
  across: Taps,
  down: Taps,
  windowWidth: i32,
  windowHeight: i32,
  firstPixel: i32,
  atY: i32,
  flip: bool,
): void {
  const rowStep = <usize>imageWidth * 3
  // Filtered rows are kept in a ring: those of one output row's taps, and up to three that come of filtering by fours.
  let slots: u32 = 8
  while (slots < <u32>(2 * down.pairs + 4)) slots <<= 1
  const mask = slots - 1
  const slotBytes: usize = 3 * stride
  const ring = allocate(<u64>slots * slotBytes)
  const firstColumn = load<i32>(across.starts)
  const lastStart = load<i32>(across.starts + (<usize>(windowWidth - 1) << 2))
  const columns = min(lastStart + 2 * across.pairs, boxWidth) - firstColumn
  // Where weights are filled up with zeros, columns behind the last one are read.
  const channelBytes = (<usize>columns + 2 * across.pairs + 16) << 2
  const woven = allocate(3 * <u64>channelBytes)
  const column0 = woven - (<usize>firstColumn << 2)
  const from = image + 3 * <usize>firstColumn
  const filtered = allocate(16 * stride)
  memory.fill(filtered, 0, 16 * stride)
  const rows = allocate(<u64>down.pairs << 3)
  const last = boxHeight - 1
  let done = load<i32>(down.starts)
  for (let y = 0; y < windowHeight; y++) {
    const start = load<i32>(down.starts + (<usize>y << 2))
    const end = min(start + 2 * down.pairs, boxHeight)
    for (; done < end; done += 4) {
      weaveRows(
        from + <usize>done * rowStep,
        from + <usize>min(done + 1, last) * rowStep,
        from + <usize>min(done + 2, last) * rowStep,
        from + <usize>min(done + 3, last) * rowStep,
        columns,
        woven,
        channelBytes,
      )
      const to = filtered + (<usize>firstPixel << 4)
      filterRows(column0, channelBytes, across, windowWidth, to, flip ? -16 : 16)
      unweaveRows(
        filtered,
        ring + <usize>(<u32>done & mask) * slotBytes,
        ring + <usize>(<u32>(done + 1) & mask) * slotBytes,
        ring + <usize>(<u32>(done + 2) & mask) * slotBytes,
        ring + <usize>(<u32>(done + 3) & mask) * slotBytes,
        stride,
      )
    }
    for (let k = 0; k < 2 * down.pairs; k++) {
      store<u32>(rows + (<usize>k << 2), <u32>(ring + <usize>(<u32>(start + k) & mask) * slotBytes))
    }
    const weights = down.weights + <usize>y * down.stride
    const to = planes + <usize>(atY + y) * stride
    filterColumns(rows, 0, weights, down.pairs, to, stride)
    filterColumns(rows, stride, weights, down.pairs, to + planeBytes, stride)
    filterColumns(rows, 2 * stride, weights, down.pairs, to + 2 * planeBytes, stride)
  }
}
