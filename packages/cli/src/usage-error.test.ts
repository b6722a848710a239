import { describe, expect, it } from "vitest";
import { usageErrorOf } from "./usage-error.ts";

describe("an error of the command line's parser", () => {
  it("gets a code and loses the parser's own prefix", () => {
    const error = usageErrorOf({ message: "error: missing required argument 'file'" });
    expect([error.code, error.message]).toEqual([
      "usage",
      "missing required argument 'file'; --help says what it takes",
    ]);
  });

  it("keeps a suggestion, in the same line", () => {
    const { message } = usageErrorOf({ message: "error: unknown command 'imag'\n(Did you mean image?)" });
    expect(message).toBe("unknown command 'imag' (Did you mean image?); --help says what it takes");
  });
});
