import { describe, expect, it } from "vitest";
import { exportOptions, roleNames } from "./role-options.ts";

describe("options of roles export and create", () => {
  it("leave out what was not given, so that the defaults of the catalogue hold", () => {
    expect(exportOptions({ form: "scoped" })).toEqual({
      form: "scoped",
      placement: "production",
      partition: "aws",
      withWorkersInProduction: false,
      accounts: {},
      names: {},
    });
  });

  it("name what is wrong", () => {
    expect(() => exportOptions({ form: "wide" })).toThrow("--form is wide; it takes scoped or compatible");
    expect(() => exportOptions({ form: "scoped", backupAccount: "12" })).toThrow("12 is not an account id");
    expect(() => roleNames(["worker"])).toThrow("write ROLE=NAME");
    expect(() => roleNames(["cook=x"])).toThrow("cook is not a role of the catalogue");
  });

  it("take other names role by role", () => {
    expect(roleNames(["worker=my-worker", "appliance=ctl"])).toEqual({
      worker: "my-worker",
      appliance: "ctl",
    });
  });
});
