// What the page shows of a call with a visible agent.

import { VoiceCall } from "./client.js";
import { AvatarLink } from "./avatar.js";

const [video, callButton, interruptButton, state, speaking, words] = ["video", "call", "interrupt", "state", "speaking", "words"].map(
  (id) => document.getElementById(id),
);
const relayOnly = new URLSearchParams(location.search).has("relay");
let call = null;
let link = null;

function showWords({ who, item_id, text, final, heard_text }) {
  let line = [...words.children].find((each) => each.dataset.item === item_id);
  if (!line) {
    line = document.createElement("li");
    Object.assign(line.dataset, { who, item: item_id });
    words.append(line);
  }
  if (!final) line.append(text);
  else line.textContent = heard_text ?? text;
  line.scrollIntoView({ block: "nearest" });
}

function show(on) {
  callButton.textContent = on ? "Hang up" : "Call";
  interruptButton.disabled = !on;
}

async function start() {
  const url = new URL("call", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.search = "";
  call = new VoiceCall(url);
  link = new AvatarLink(call, video, { relayOnly });
  window.avatarLink = link; // for a look at link.stats() in the console
  link.addEventListener("state", ({ detail }) => (state.textContent = `picture: ${detail}`));
  const on = (type, handle) => call.addEventListener(type, ({ detail }) => handle(detail));
  on("transcript", showWords);
  on("flush", () => link.hush());
  on("avatar.state", (told) => (speaking.textContent = told.state));
  on("error", ({ problem, retry_after_s }) => {
    state.textContent = retry_after_s ? `busy: try again in ${Math.ceil(retry_after_s)} s` : `error: ${problem}`;
  });
  on("end", (end) => (state.textContent = `ended: ${end.problem || end.how}`));
  on("closed", () => {
    call = null;
    speaking.textContent = "";
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
interruptButton.onclick = () => {
  link?.hush();
  call?.interrupt();
};
