import type { PickleBudget } from './pickleBudget.js'
import {
  addItems,
  appendItems,
  build,
  called,
  dictOf,
  type PickleMeaning,
  setItems,
  setOf,
  stackGlobal,
} from './pickleBuild.js'
import { type PickleCursor, pickleCursor, plain } from './pickleCursor.js'
import { type PickleMachine, pickleMachine } from './pickleMachine.js'
import { PickleGlobal, PickleObject, PickleTuple, type PickleValue } from './pickleValues.js'

/** Steps that no checkpoint takes: a hundred for each of 160,000 tensors. */
const MAX_STEPS = 1 << 24

/**
 * Reads one pickle of protocol 2 to 5 and whatever of 0 and 1 PyTorch writes. It is data alone: names of classes and
 * functions become `PickleGlobal`s, what they would be called with `PickleObject`s, and only `meaning` decides more.
 * @returns the value and where the pickle ends in `bytes`
 * @throws RangeError with what is wrong, on bytes that are no pickle, opcodes that torch.save does not write, stacks or
 * memos that are not as the pickle says, and values that take more than `budget`.
 */
export function unpickle(
  bytes: Uint8Array,
  meaning: PickleMeaning,
  budget: PickleBudget,
  start = 0,
): { value: PickleValue; end: number } {
  const cursor = pickleCursor(bytes, start)
  const machine = pickleMachine(budget, bytes.length)
  for (let steps = 0; steps < MAX_STEPS; steps++) {
    const opcode = cursor.u8()
    if (opcode === STOP) return { value: machine.finish(), end: cursor.position }
    if (
      !(
        pushes(opcode, cursor, machine) ||
        builds(opcode, machine, meaning) ||
        stores(opcode, cursor, machine)
      )
    )
      throw new RangeError(
        `opcode 0x${opcode.toString(16).padStart(2, '0')} is not one that torch.save writes`,
      )
  }
  throw new RangeError(`the pickle has more than ${MAX_STEPS} steps`)
}

const STOP = 0x2e

/** Opcodes that push a value of their own. */
function pushes(opcode: number, cursor: PickleCursor, { add }: PickleMachine): boolean {
  switch (opcode) {
    case 0x4e: // NONE
      add(null)
      return true
    case 0x88: // NEWTRUE
      add(true)
      return true
    case 0x89: // NEWFALSE
      add(false)
      return true
    case 0x4b: // BININT1
      add(cursor.u8())
      return true
    case 0x4d: // BININT2
      add(cursor.u16())
      return true
    case 0x4a: // BININT
      add(cursor.i32())
      return true
    case 0x8a: // LONG1
      add(cursor.integer(cursor.u8()))
      return true
    case 0x8b: // LONG4
      add(cursor.integer(cursor.u32()))
      return true
    case 0x47: // BINFLOAT
      add(cursor.f64())
      return true
    case 0x8c: // SHORT_BINUNICODE
      add(cursor.text(cursor.u8()))
      return true
    case 0x58: // BINUNICODE
      add(cursor.text(cursor.u32()))
      return true
    case 0x8d: // BINUNICODE8
      add(cursor.text(cursor.length64()))
      return true
    case 0x55: // SHORT_BINSTRING
      add(cursor.latin1(cursor.u8()))
      return true
    case 0x54: // BINSTRING
      add(cursor.latin1(cursor.u32()))
      return true
    case 0x43: // SHORT_BINBYTES
      add(cursor.bytes(cursor.u8()).slice())
      return true
    case 0x42: // BINBYTES
      add(cursor.bytes(cursor.u32()).slice())
      return true
    case 0x8e: // BINBYTES8
    case 0x96: // BYTEARRAY8
      add(cursor.bytes(cursor.length64()).slice())
      return true
    case 0x5d: // EMPTY_LIST
      add([])
      return true
    case 0x7d: // EMPTY_DICT
      add(new Map())
      return true
    case 0x29: // EMPTY_TUPLE
      add(new PickleTuple([]))
      return true
    case 0x8f: // EMPTY_SET
      add(new Set())
      return true
    case 0x63: // GLOBAL
      add(new PickleGlobal(cursor.line(), cursor.line()))
      return true
    case 0x49: // INT
    case 0x4c: // LONG
      add(decimal(cursor.line()))
      return true
    case 0x46: // FLOAT
      add(Number(cursor.line()))
      return true
    default:
      return false
  }
}

/** An integer in digits; `00` and `01` are the booleans of protocol 0. */
function decimal(text: string): PickleValue {
  if (text === '00' || text === '01') return text === '01'
  if (!/^-?\d{1,400}L?$/.test(text)) throw new RangeError('an integer is not written in digits')
  return plain(BigInt(text.replace('L', '')))
}

/** Opcodes that make a value of others. */
function builds(opcode: number, machine: PickleMachine, meaning: PickleMeaning): boolean {
  const { add, pop, popMark, top, budget } = machine
  switch (opcode) {
    case 0x74: // TUPLE
      add(new PickleTuple(popMark()))
      return true
    case 0x85: // TUPLE1
    case 0x86: // TUPLE2
    case 0x87: // TUPLE3
      add(new PickleTuple(Array.from({ length: opcode - 0x84 }, pop).reverse()))
      return true
    case 0x6c: // LIST
      add(popMark())
      return true
    case 0x64: // DICT
      add(dictOf(popMark(), budget))
      return true
    case 0x91: // FROZENSET
      add(setOf(popMark(), budget))
      return true
    case 0x90: // ADDITEMS
      addItems(popMark(), top(), budget)
      return true
    case 0x61: // APPEND
      appendItems([pop()], top(), budget)
      return true
    case 0x65: // APPENDS
      appendItems(popMark(), top(), budget)
      return true
    case 0x73: // SETITEM
      setItems([pop(), pop()].reverse(), top(), budget)
      return true
    case 0x75: // SETITEMS
      setItems(popMark(), top(), budget)
      return true
    case 0x93: {
      // STACK_GLOBAL
      const name = pop()
      add(stackGlobal(pop(), name))
      return true
    }
    case 0x52: // REDUCE
    case 0x81: {
      // NEWOBJ
      const args = pop()
      add(called(pop(), args, meaning))
      return true
    }
    case 0x92: {
      // NEWOBJ_EX
      const [keywords, args] = [pop(), pop()]
      add(new PickleObject(pop(), args, keywords))
      return true
    }
    case 0x62: // BUILD
      build(pop(), top())
      return true
    case 0x51: // BINPERSID
      add(meaning.persistent(pop()))
      return true
    default:
      return false
  }
}

/** Opcodes about the pickle itself, its marks and its memo. */
function stores(opcode: number, cursor: PickleCursor, machine: PickleMachine): boolean {
  switch (opcode) {
    case 0x80: // PROTO
      if (cursor.u8() > 5) throw new RangeError('the pickle is of a protocol above 5')
      return true
    case 0x95: // FRAME
      cursor.length64() // how much to read ahead; all is here
      return true
    case 0x28: // MARK
      machine.mark()
      return true
    case 0x30: // POP
      machine.pop()
      return true
    case 0x31: // POP_MARK
      machine.popMark()
      return true
    case 0x32: // DUP
      machine.push(machine.top())
      return true
    case 0x71: // BINPUT
      machine.put(cursor.u8())
      return true
    case 0x72: // LONG_BINPUT
      machine.put(cursor.u32())
      return true
    case 0x94: // MEMOIZE
      machine.memoize()
      return true
    case 0x68: // BINGET
      machine.get(cursor.u8())
      return true
    case 0x6a: // LONG_BINGET
      machine.get(cursor.u32())
      return true
    default:
      return false
  }
}
