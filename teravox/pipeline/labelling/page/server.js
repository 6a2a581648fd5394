// Asks the server, and listens to it; the secret is the second word of the page's own path.

const SECRET = location.pathname.split("/")[2];

export function address(first, rest = "") {
  return `/${first}/${SECRET}/${rest}`;
}

async function checked(answer) {
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer;
}

export async function getJson(first) {
  return (await checked(await fetch(address(first)))).json();
}

// The bytes of a tile and the version of what they show; null where there is nothing yet.
export async function getTile(rest, signal) {
  const answer = await fetch(address("tile", rest), { signal });
  if (answer.status === 204) return null;
  await checked(answer);
  return { bytes: new Uint8Array(await answer.arrayBuffer()), version: Number(answer.headers.get("X-Version")) };
}

export async function post(first, said = {}) {
  const answer = await fetch(address(first), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(said),
  });
  return (await checked(answer)).json();
}

export function listen(hear, onFound, onLost) {
  const news = new EventSource(address("news"));
  news.onmessage = (event) => hear(JSON.parse(event.data));
  news.onopen = () => onFound();
  news.onerror = () => onLost();
  return news;
}
