/** Takes a picture of every screen: on a desktop and a phone, light and dark, in both languages. */

import { join } from "node:path";

import { screens, tidy } from "../lib/screens.ts";
import { test } from "../lib/test.ts";

const folder = process.env.SCREENSHOTS;

const shots = [
  { name: "desktop-light-en", viewport: { width: 1280, height: 800 }, colorScheme: "light", lang: "en" },
  { name: "phone-light-en", viewport: { width: 360, height: 640 }, colorScheme: "light", lang: "en" },
  { name: "phone-dark-en", viewport: { width: 360, height: 640 }, colorScheme: "dark", lang: "en" },
  { name: "phone-light-fr", viewport: { width: 360, height: 640 }, colorScheme: "light", lang: "fr" },
  { name: "desktop-dark-fr", viewport: { width: 1280, height: 800 }, colorScheme: "dark", lang: "fr" },
] as const;

test.beforeAll(() => {
  if (!folder) throw new Error("SCREENSHOTS must name the folder to put them into");
});

for (const screen of screens) {
  test(screen.name, async ({ browser, demo }) => {
    for (const { name, viewport, colorScheme, lang } of shots) {
      const context = await browser.newContext({ viewport, colorScheme, locale: lang });
      const page = await context.newPage();
      try {
        await screen.reach(page, demo, lang);
        await page.screenshot({ path: join(folder as string, `${screen.name}-${name}.png`), fullPage: true });
      } finally {
        await tidy(screen, demo);
        await context.close();
      }
    }
  });
}
