/** Hidden is what holds secrets: it prints as [redacted], and nothing of it comes into JSON or a clone. */
export abstract class Hidden {
  toString(): string {
    return "[redacted]";
  }

  toJSON(): string {
    return "[redacted]";
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "[redacted]";
  }
}
