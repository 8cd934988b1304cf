import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import type { Histogram } from './histogram.js'

// Event, Summary, SessionLog and TensorProto of tensorboard/compat/proto, the fields that are written here.

const { Varint, Bit64, Bit32, LengthDelimited } = WireType
const START = 1 // SessionLog.SessionStatus
const DT_STRING = 7 // DataType

/** When and at which step something happened; wall time in seconds since 1970. */
export interface Moment {
  readonly wallTime: number
  readonly step: number
}

/** The first record of every file: the version of the format. */
export const fileVersion = (moment: Moment): Uint8Array =>
  event(moment, (out) => out.tag(3, LengthDelimited).string('brain.Event:2'))

/** A session starts at a step: readers drop what earlier sessions wrote of this step and later ones. */
export const sessionStart = (moment: Moment): Uint8Array =>
  event(moment, (out) => message(out, 7, () => out.tag(1, Varint).int32(START)))

/** A scalar as a `simple_value`, which all readers of event files know. */
export const scalar = (moment: Moment, tag: string, value: number): Uint8Array =>
  summary(moment, tag, (out) => out.tag(2, Bit32).float(toFloat(value)))

/** A histogram as a HistogramProto. */
export const histogram = (moment: Moment, tag: string, values: Histogram): Uint8Array =>
  summary(moment, tag, (out) =>
    message(out, 5, () => {
      const { min, max, count, sum, sumOfSquares, limits, counts } = values
      for (const [i, number] of [min, max, count, sum, sumOfSquares].entries())
        out.tag(i + 1, Bit64).double(number)
      for (const [field, list] of [
        [6, limits],
        [7, counts],
      ] as const)
        message(out, field, () => {
          for (const number of list) out.double(number)
        })
    }),
  )

/** A text, which TensorBoard shows as Markdown: a string tensor of no dimensions for its text plugin. */
export const text = (moment: Moment, tag: string, content: string): Uint8Array =>
  summary(moment, tag, (out) => {
    message(out, 9, () => message(out, 1, () => out.tag(1, LengthDelimited).string('text')))
    message(out, 8, () => {
      out.tag(1, Varint).int32(DT_STRING)
      message(out, 2, () => {})
      out.tag(8, LengthDelimited).bytes(new TextEncoder().encode(content))
    })
  })

function event({ wallTime, step }: Moment, what: (out: BinaryWriter) => void): Uint8Array {
  const out = new BinaryWriter()
  out.tag(1, Bit64).double(wallTime)
  out.tag(2, Varint).int64(step)
  what(out)
  return out.finish()
}

/** An event whose summary has one value. */
function summary(moment: Moment, tag: string, value: (out: BinaryWriter) => void): Uint8Array {
  return event(moment, (out) =>
    message(out, 5, () =>
      message(out, 1, () => {
        out.tag(1, LengthDelimited).string(tag)
        value(out)
      }),
    ),
  )
}

function message(out: BinaryWriter, field: number, body: () => void): void {
  out.tag(field, LengthDelimited).fork()
  body()
  out.join()
}

/** What float32 cannot hold becomes infinite, as it does in a tensor; the writer would throw. */
const toFloat = Math.fround
