import { describe, expect, it } from "vitest";
import { failureOfProgram } from "./failure-of-program.ts";

const ended = { name: "lab", logFile: "/data/lab.log", code: 2 };

describe("the failure of a program that was started", () => {
  it("is the named error that the program said last", () => {
    const said = '{"level":"info"}\nlab: lab-port-in-use: something else listens on 127.0.0.1:4566\n';
    const error = failureOfProgram({ ...ended, said });
    expect([error.code, error.message]).toEqual([
      "lab-port-in-use",
      "something else listens on 127.0.0.1:4566",
    ]);
  });

  it("otherwise names the log", () => {
    const error = failureOfProgram({ ...ended, said: "Killed: no-such-code: x\n" });
    expect([error.code, error.message]).toEqual([
      "program-failed",
      "the lab ended with 2 before it was ready; see /data/lab.log",
    ]);
  });
});
