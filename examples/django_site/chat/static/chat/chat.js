"use strict";

const { api, agent, token } = document.body.dataset;
const messages = document.getElementById("messages");
const form = document.getElementById("form");
const text = document.getElementById("text");
// A visitor's conversation is not that of the user whom they sign in as.
const kept = `conversation:${token}`;
let conversation = localStorage.getItem(kept);

function show(role, content) {
  const line = document.createElement("p");
  line.className = role;
  line.textContent = content; // never as HTML
  messages.append(line);
  line.scrollIntoView();
  return line;
}

async function ask(path, body) {
  const csrf = document.cookie.match(/csrftoken=([^;]+)/);
  const headers = { "Content-Type": "application/json" };
  if (token) headers["X-Anonymous-Token"] = token;
  if (csrf) headers["X-CSRFToken"] = csrf[1];
  const response = await fetch(api + path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
  const data = await response.json();
  if (!response.ok) throw Object.assign(new Error(data.error || JSON.stringify(data)), { status: response.status });
  return data;
}

// EventSource comes back by itself when the connection breaks, with the number of the last event it has seen.
function follow(run) {
  return new Promise((resolve) => {
    const query = token ? `?anonymous_token=${encodeURIComponent(token)}` : "";
    const events = new EventSource(`${api}runs/${run.id}/events/${query}`);
    let line = null;
    const on = (type, act) => events.addEventListener(type, (event) => {
      if (event.data) act(JSON.parse(event.data).payload); // "error" is also told of a broken connection
    });
    const end = (words) => () => {
      if (words) show("error", words);
      events.close();
      resolve();
    };
    on("assistant.delta", ({ content }) => {
      line = line || show("assistant", "");
      line.textContent += content;
    });
    on("assistant.message", ({ content }) => {
      line = line || show("assistant", "");
      line.textContent = content;
      line = null;
    });
    on("error", () => {
      if (line) line.remove(); // the attempt failed; the next one begins anew
      line = null;
    });
    events.onerror = () => {
      if (events.readyState === EventSource.CLOSED) end("The answer cannot be followed; reload the page.")();
    };
    on("run.succeeded", end(""));
    on("run.failed", end("That did not work."));
    on("run.cancelled", end("Stopped."));
    on("run.timed_out", end("That took too long."));
  });
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const content = text.value;
  const body = {
    agent_key: agent,
    messages: [{ role: "user", content }],
    params: { stream: true },
    idempotency_key: crypto.randomUUID(),
    ...(conversation && { conversation_id: conversation }),
  };
  form.inert = true;
  show("user", content);
  text.value = "";
  try {
    const run = await ask("runs/", body);
    conversation = run.conversation_id;
    localStorage.setItem(kept, conversation);
    await follow(run);
  } catch (error) {
    show("error", error.message);
  }
  form.inert = false;
  text.focus();
});

document.getElementById("new").addEventListener("click", () => {
  localStorage.removeItem(kept);
  location.reload();
});

async function begin() {
  if (!conversation) return;
  try {
    const data = await ask(`conversations/${conversation}/`);
    for (const { role, content } of data.messages) {
      if ((role === "user" || role === "assistant") && typeof content === "string" && content) show(role, content);
    }
  } catch (error) {
    if (error.status === 404 || error.status === 401) localStorage.removeItem(kept);
    conversation = null;
  }
}

begin().then(() => text.focus());
