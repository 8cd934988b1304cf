import { maskedCrc32c } from './crc32c.js'

const LENGTH_BYTES = 8
const CRC_BYTES = 4

/** Frames data as one TFRecord, little-endian: length u64, masked CRC-32C of the length, data, masked CRC-32C of the data. */
export function tfRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(LENGTH_BYTES + CRC_BYTES + data.length + CRC_BYTES)
  const view = new DataView(record.buffer)
  view.setBigUint64(0, BigInt(data.length), true)
  view.setUint32(LENGTH_BYTES, maskedCrc32c(record.subarray(0, LENGTH_BYTES)), true)
  record.set(data, LENGTH_BYTES + CRC_BYTES)
  view.setUint32(record.length - CRC_BYTES, maskedCrc32c(data), true)
  return record
}
