// Times in the reader's own zone and language, and the countdowns.

const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });

export function left(seconds: number): string {
  const s = Math.max(0, Math.ceil(seconds));
  const two = (n: number) => String(n).padStart(2, "0");
  const rest = `${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  const hours = Math.floor(s / 3600);
  if (hours >= 48) return `${Math.floor(hours / 24)} days`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

export function local(at: HTMLTimeElement): void {
  const time = new Date(at.dateTime);
  if (!Number.isNaN(time.getTime())) at.textContent = format.format(time);
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

export function localise(root: ParentNode = document): void {
  for (const at of root.querySelectorAll<HTMLTimeElement>("time[datetime]")) {
    const seconds = Number(at.dataset.countdown ?? "");
    if (!("countdown" in at.dataset)) local(at);
    else if (seconds > 0) countdown(at, seconds, () => setTimeout(() => location.reload(), 1500));
  }
}
