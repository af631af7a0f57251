/** The page that internal/bench opens in a browser: it measures in rounds, and tells the server what it found. */
import { bareAES, historyMoves } from "./sealing.js";

const asked = new URLSearchParams(location.search);
const bytes = Number(asked.get("mib")) << 20;
const rounds = Number(asked.get("rounds"));

async function report(body: object): Promise<void> {
  await fetch("/result", { method: "POST", body: JSON.stringify(body) });
}

try {
  const found: { bare: number; history: number }[] = [];
  for (let i = 0; i < rounds; i++) {
    found.push({ bare: await bareAES(bytes), history: await historyMoves(bytes) });
  }
  await report({ rounds: found });
} catch (e) {
  await report({ error: e instanceof Error ? e.stack : String(e) });
}
