import { expect, test } from "vitest";
import { readConfig } from "./config.ts";

test("the command line wins over the environment", () => {
  const environment = {
    GARRISON_DATA: "/a",
    GARRISON_PORT: "1",
    AWS_REGION: "eu-central-1",
    HOME: "/users/x",
  };
  expect(readConfig(["--data", "/b", "--port", "2"], environment)).toEqual({
    dataDir: "/b",
    host: "127.0.0.1",
    port: 2,
    region: "eu-central-1",
    sweepEveryMs: 300_000,
    driftEveryMs: 86_400_000,
    untilStdinEnds: false,
  });
});

test("without either, data is kept in the home folder, on loopback", () => {
  expect(readConfig([], { HOME: "/users/x" })).toMatchObject({
    dataDir: "/users/x/.garrison",
    host: "127.0.0.1",
  });
});

test.each([[["--port", "http"]], [["--colour"]], [["stray"]]])("%s is refused by name", (argv) => {
  expect(() => readConfig(argv, {})).toThrow(expect.objectContaining({ code: "configuration-invalid" }));
});
