// What the pages say to the server: JSON by POST, and nothing else.

// Refused is an answer that is not the one asked for. Its message is written
// for the person in front of the page.
export class Refused extends Error {
  constructor(
    readonly reason: string,
    message: string,
    readonly need = "",
  ) {
    super(message);
  }
}

export async function post<T = object>(path: string, body: object = {}): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      credentials: "same-origin",
      redirect: "error",
    });
  } catch {
    throw new Refused("UNREACHABLE", "The server can't be reached. Check your connection and try again.");
  }
  const data = await answer.json().catch(() => ({}));
  if (answer.ok) return data as T;
  throw new Refused(data.reason ?? "", data.message ?? "That did not work. Try again in a moment.", data.need);
}

// pageData is what the server put into the page for its script.
export function pageData<T>(): T {
  return JSON.parse(document.getElementById("data")!.textContent!) as T;
}
