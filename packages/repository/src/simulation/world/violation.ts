/** Which of the promises of the engine was broken; the numbers are those of docs/testing.md. */
export type CheckNumber = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10;

/** Thrown where the model sees that a promise is broken: the history ends there. */
export class Violation extends Error {
  override readonly name = "Violation";
  readonly check: CheckNumber;

  constructor(check: CheckNumber, message: string) {
    super(message);
    this.check = check;
  }
}
