import { defineConfig } from "@playwright/test";

import { launchOptions } from "./lib/chromium.ts";

export default defineConfig({
  testDir: "specs",
  outputDir: "test-results",
  // Each worker has a demo of its own (two nodes and a server), so that nobody's block confirms somebody else's charge.
  workers: 2,
  fullyParallel: true,
  // A test that fails now and then is wrong: it is mended, not repeated.
  retries: 0,
  forbidOnly: true,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [["list"]],
  use: {
    browserName: "chromium",
    launchOptions,
    locale: "en-GB",
    viewport: { width: 1280, height: 800 },
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
  },
});
