import { defineConfig } from "@playwright/test";

import base from "./playwright.config.ts";

/** Pictures of every screen, for people to look at; into the folder that SCREENSHOTS names. */
export default defineConfig(base, { testDir: "screenshots", workers: 1, timeout: 600_000 });
