// A small seeded generator of random numbers, so that a seed names a corpus.

export class Random {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  /** A number from 0 up to but not including 1. */
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** A whole number from `low` to `high`. */
  int(low, high) {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** True that often. */
  chance(probability) {
    return this.next() < probability;
  }

  /** A member of a list. */
  pick(list) {
    return list[Math.floor(this.next() * list.length)];
  }

  /** Some members of a list, in its order. */
  some(list, count) {
    const left = list.map((_, at) => at);
    const taken = [];
    while (taken.length < count && left.length > 0) {
      taken.push(left.splice(Math.floor(this.next() * left.length), 1)[0]);
    }
    return taken.sort((a, b) => a - b).map((at) => list[at]);
  }
}
