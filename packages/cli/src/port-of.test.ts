import { expect, it } from "vitest";
import { portOf } from "./port-of.ts";

it("takes ports, and names what is none", () => {
  expect(["0", "8080", "65535"].map(portOf)).toEqual(["0", "8080", "65535"]);
  for (const text of ["abc", "", "-1", "65536", "1.5"]) expect(() => portOf(text)).toThrow("0 to 65535");
});
