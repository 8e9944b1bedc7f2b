// What the page shows of a call.

import { VoiceCall } from "./client.js";

const [callButton, interruptButton, state, words, typing, text] = ["call", "interrupt", "state", "words", "typing", "text"].map(
  (id) => document.getElementById(id),
);
let call = null;

function lineOf(who, itemId) {
  const found = [...words.children].find((line) => line.dataset.item === itemId);
  if (found) return found;
  const line = document.createElement("li");
  Object.assign(line.dataset, { who, item: itemId });
  return words.appendChild(line);
}

function showWords({ who, item_id, text, final, heard_text }) {
  const line = lineOf(who, item_id);
  if (!final) line.append(text);
  else if (heard_text === undefined) line.textContent = text;
  else {
    const unheard = document.createElement("s");
    unheard.textContent = text.slice(heard_text.length);
    line.replaceChildren(heard_text, unheard);
  }
}

function show(on) {
  callButton.textContent = on ? "Hang up" : "Call";
  interruptButton.disabled = text.disabled = !on;
}

async function start() {
  const url = new URL("call", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  call = new VoiceCall(url, { parameters: { language: navigator.language } });
  const on = (type, handle) => call.addEventListener(type, ({ detail }) => handle(detail));
  on("transcript", showWords);
  on("session", (session) => (state.textContent = session.state));
  on("tool", (tool) => (state.textContent = `${tool.name}: ${tool.state}`));
  on("error", (error) => (state.textContent = `error: ${error.problem}`));
  on("end", (end) => (state.textContent = `ended: ${end.problem || end.how}`));
  on("closed", () => {
    call = null;
    show(false);
  });
  state.textContent = "calling";
  await call.start();
  show(true);
}

callButton.onclick = () => {
  if (call) return call.stop();
  start().catch((error) => {
    call = null;
    state.textContent = error.message;
  });
};
interruptButton.onclick = () => call?.interrupt();
typing.onsubmit = (event) => {
  event.preventDefault();
  lineOf("caller", crypto.randomUUID()).textContent = text.value;
  call?.say(text.value);
  text.value = "";
};
