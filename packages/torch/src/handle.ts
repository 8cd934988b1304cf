/** A JS object that stands for a native one: `handle` is the number the addon knows it by, 0 once disposed. */
export abstract class Handle {
  handle: number
  constructor(handle: number) {
    this.handle = handle
  }
}
