// Times in the reader's own zone and language, and the countdowns.

const minutes = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
const seconds = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "medium" });

export function left(seconds: number): string {
  const s = Math.max(0, Math.ceil(seconds));
  const two = (n: number) => String(n).padStart(2, "0");
  const rest = `${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  const hours = Math.floor(s / 3600);
  if (hours >= 48) return `${Math.floor(hours / 24)} days`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

export function local(at: HTMLTimeElement, format = minutes): void {
  const time = new Date(at.dateTime);
  if (!Number.isNaN(time.getTime())) at.textContent = format.format(time);
}

// localiseExactly writes every time with its seconds, for who puts events in order.
export function localiseExactly(): void {
  for (const at of document.querySelectorAll<HTMLTimeElement>("time[datetime]")) local(at, seconds);
}

// countdown runs down the seconds that the server said are left, whatever the
// clock of this device says, and then calls over.
export function countdown(at: HTMLElement, seconds: number, over: () => void): () => void {
  const end = performance.now() + seconds * 1000;
  const tick = () => {
    const now = (end - performance.now()) / 1000;
    at.textContent = left(now);
    if (now > 0) return;
    clearInterval(timer);
    over();
  };
  const timer = setInterval(tick, 500);
  tick();
  return () => clearInterval(timer);
}

export function localise(): void {
  for (const at of document.querySelectorAll<HTMLTimeElement>("time[datetime]")) {
    const rest = Number(at.dataset.countdown ?? "");
    if (!("countdown" in at.dataset)) local(at);
    else if (rest > 0) countdown(at, rest, () => setTimeout(() => location.reload(), 1500));
  }
}
